# expect: exhausted-generator @ BUG
"""A filter object is used up by the first call."""
import torch
from torch import nn


class Learner:
    def __init__(self, net):
        self.net = net
        self.params = filter(lambda p: p.requires_grad, net.parameters())
        self.opt = torch.optim.Adam(net.parameters(), lr=1e-2)

    def learn(self, x):
        loss = self.net(x).pow(2).mean()
        self.opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 0.5)  # BUG
        self.opt.step()
        return loss.item()


torch.manual_seed(0)
learner = Learner(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
for i in range(5):
    print(learner.learn(torch.randn(6, 3)))
