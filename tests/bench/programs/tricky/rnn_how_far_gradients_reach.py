"""How much of the first input is left after t steps: one graph grows, and is asked at each step."""

import torch
from torch import nn

torch.manual_seed(0)
cell = nn.RNNCell(2, 6)
x0 = torch.randn(1, 2, requires_grad=True)
h = cell(x0)
reach = []
for t in range(8):
    h = cell(torch.randn(1, 2), h)
    cell.zero_grad()
    x0.grad = None
    h.sum().backward(retain_graph=True)
    reach.append((x0.grad.norm().item(), cell.weight_hh.grad.norm().item()))
print(reach)
