# pattern: 15
# expect: exhausted-generator
"""The first round clips, every later one finds the generator empty."""
import torch
from torch import nn


class Learner:
    def __init__(self):
        torch.manual_seed(0)
        self.policy = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
        self.trainable = filter(lambda p: p.requires_grad, self.policy.parameters())
        self.optim = torch.optim.Adam(self.policy.parameters(), lr=1e-2)

    def learn(self, states, actions, returns):
        logp = torch.distributions.Categorical(logits=self.policy(states)).log_prob(actions)
        loss = -(logp * returns).mean()
        self.optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.trainable, 0.5)  # BUG
        self.optim.step()
        return loss.item()


learner = Learner()
for episode in range(6):
    print(learner.learn(torch.randn(12, 4), torch.randint(0, 2, (12,)), 5 * torch.randn(12)))
