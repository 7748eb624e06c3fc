"""Losses of an episode are kept in a list on purpose: one backward uses them all."""
import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Linear(3, 2)
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
for episode in range(4):
    saved = []
    for t in range(5):
        probs = policy(torch.randn(3)).softmax(0)
        dist = torch.distributions.Categorical(probs)
        action = dist.sample()
        saved.append(-dist.log_prob(action) * float(action))
    opt.zero_grad()
    policy_loss = torch.stack(saved).sum()
    policy_loss.backward()
    opt.step()
