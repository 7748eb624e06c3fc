# expect: unmoved-parameters @ HERE
"""p = p - ... binds a name; the parameter stays as it is."""
import torch
from torch import nn


class MySGD(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p = p - group["lr"] * p.grad


torch.manual_seed(0)
model = nn.Linear(3, 1)
optimizer = MySGD(model.parameters(), lr=0.1)
for i in range(5):
    x = torch.randn(8, 3)
    loss = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # HERE
    print(i, loss.item())
