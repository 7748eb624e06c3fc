# pattern: 30
# expect: in-place-on-leaf | leaf-modified-in-place
# raises: RuntimeError
"""Pruning writes zeros into a weight that requires grad."""
import torch
from torch import nn

torch.manual_seed(0)
layer = nn.Linear(6, 6)
opt = torch.optim.SGD(layer.parameters(), lr=0.1)
mask = layer.weight.abs() > 0.2
for step in range(4):
    loss = (layer(torch.randn(4, 6)) - 1).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    layer.weight[~mask] = 0  # BUG
    print(step, loss.item())
