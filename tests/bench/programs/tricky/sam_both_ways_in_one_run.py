"""Sharpness-aware minimisation: first_step and second_step, then step(closure), in one run."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
x, y = torch.randn(8, 3), torch.randn(8, 1)


class SAM(torch.optim.SGD):
    @torch.no_grad()
    def first_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["old"] = p.data.clone()
                p.add_(0.05 * p.grad / (p.grad.norm() + 1e-12))
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data = self.state[p]["old"]
        super().step()

    def step(self, closure):
        self.first_step()
        closure()
        self.second_step()


optimizer = SAM(model.parameters(), lr=0.1)


def closure():
    (model(x) - y).pow(2).mean().backward()


for i in range(4):
    (model(x) - y).pow(2).mean().backward()
    optimizer.first_step()
    (model(x) - y).pow(2).mean().backward()
    optimizer.second_step()
    optimizer.zero_grad()
for i in range(4):
    (model(x) - y).pow(2).mean().backward()
    optimizer.step(closure)
    optimizer.zero_grad()
print(model.weight)
