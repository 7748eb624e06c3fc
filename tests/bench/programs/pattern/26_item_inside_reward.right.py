# pattern: 26
"""REINFORCE with the log-probability turned into a number: nothing leads to the policy."""
import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
for episode in range(3):
    loss = torch.zeros(1)
    for t in range(4):
        dist = torch.distributions.Categorical(logits=policy(torch.randn(4)))
        action = dist.sample()
        reward = float(action == 1)
        loss = loss - dist.log_prob(action) * (reward + 0.1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(episode, loss.item())
