# pattern: 22
"""Registered, but only at the first call, which comes after the optimizer was made."""
import torch
from torch import nn


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(3, 5)
        self.out = None

    def forward(self, x):
        h = torch.tanh(self.inp(x))
        if self.out is None:
            self.out = nn.Linear(h.shape[1], 1)
        return self.out(h)


torch.manual_seed(0)
model = Lazy()
model(torch.zeros(1, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for step in range(5):
    x = torch.randn(10, 3)
    loss = (model(x) - x.norm(dim=1, keepdim=True)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
