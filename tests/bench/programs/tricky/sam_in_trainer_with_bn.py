import contextlib

import torch
from torch import nn


class SAMTrainer:
    def __init__(self, model, rho=0.05):
        self.model, self.rho = model, rho
        self.opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def loss(self, x, y):
        return nn.functional.cross_entropy(self.model(x), y)

    @torch.no_grad()
    def ascend(self):
        norm = torch.stack([p.grad.norm() for p in self.model.parameters()]).norm()
        self.eps = [p.grad * (self.rho / (norm + 1e-12)) for p in self.model.parameters()]
        torch._foreach_add_(list(self.model.parameters()), self.eps)

    @torch.no_grad()
    def descend(self):
        torch._foreach_sub_(list(self.model.parameters()), self.eps)

    def step(self, x, y):
        first = self.loss(x, y)
        first.backward()
        self.ascend()
        self.opt.zero_grad()
        with contextlib.nullcontext():
            self.loss(x, y).backward()
        self.descend()
        self.opt.step()
        self.opt.zero_grad()
        return first.item()


torch.manual_seed(0)
trainer = SAMTrainer(nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)))
for _ in range(4):
    print(trainer.step(torch.randn(8, 4), torch.randint(0, 2, (8,))))
