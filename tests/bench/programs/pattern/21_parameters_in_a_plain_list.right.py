# pattern: 21
"""A mixture of experts whose gates live in a Python list of nn.Parameter."""
import torch
from torch import nn


class Mixture(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.experts = nn.ModuleList(nn.Linear(4, 2) for _ in range(n))
        self.gates = nn.ParameterList(nn.Parameter(torch.randn(4)) for _ in range(n))

    def forward(self, x):
        weight = torch.softmax(torch.stack([x @ g for g in self.gates], 1), 1)
        return sum(weight[:, i : i + 1] * e(x) for i, e in enumerate(self.experts))


torch.manual_seed(0)
model = Mixture()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(6):
    x = torch.randn(16, 4)
    loss = nn.functional.cross_entropy(model(x), (x[:, 0] > x[:, 1]).long())
    model.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
