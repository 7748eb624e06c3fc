# pattern: 34
# expect: leaked-gradient | stale-gradient
"""The actor's loss goes through the critic; one zero_grad for both stands at the round's beginning."""
import torch
from torch import nn


class Agent:
    def __init__(self):
        self.pi, self.q = nn.Linear(3, 1), nn.Linear(4, 1)
        self.opt_pi = torch.optim.Adam(self.pi.parameters(), lr=1e-2)
        self.opt_q = torch.optim.Adam(self.q.parameters(), lr=1e-2)

    def learn(self, s, a, r):
        self.opt_pi.zero_grad()
        self.opt_q.zero_grad()
        (-self.q(torch.cat([s, torch.tanh(self.pi(s))], 1)).mean()).backward()
        self.opt_pi.step()
        loss = (self.q(torch.cat([s, a], 1)) - r).pow(2).mean()
        loss.backward()
        self.opt_q.step()  # BUG
        return loss.item()


torch.manual_seed(0)
agent = Agent()
for _ in range(6):
    print(agent.learn(torch.randn(8, 3), torch.randn(8, 1), torch.randn(8, 1)))
