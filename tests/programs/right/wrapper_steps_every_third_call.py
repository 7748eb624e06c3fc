"""A wrapper around the optimizer that accumulates inside: most of its steps do nothing."""
import torch
from torch import nn


class Every:
    def __init__(self, optimizer, every):
        self.optimizer, self.every, self.calls = optimizer, every, 0

    def step(self):
        self.calls += 1
        if self.calls % self.every == 0:
            nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], 0.5)
            self.optimizer.step()
            self.optimizer.zero_grad()


torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = Every(torch.optim.SGD(net.parameters(), lr=0.1), 3)
for i in range(9):
    (net(torch.randn(5, 3)) - 1).pow(2).mean().div(3).backward()
    opt.step()
