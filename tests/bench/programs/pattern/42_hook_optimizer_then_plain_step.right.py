# pattern: 42
"""Optimizer in backward: the hooks step and clear; the old optimizer's step in the loop does nothing."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
per_parameter = {p: torch.optim.SGD([p], lr=0.05) for p in model.parameters()}


def hook(p):
    per_parameter[p].step()
    per_parameter[p].zero_grad()


handles = []
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for it in range(6):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x[:, 0]).pow(2).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(it, loss.item())
for handle in handles:
    handle.remove()
