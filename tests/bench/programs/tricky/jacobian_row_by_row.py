"""A Jacobian, one backward for each output through one graph; the input's gradient is cleared."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4))
x = torch.randn(3, requires_grad=True)
y = net(x)
rows = []
for i in range(4):
    if x.grad is not None:
        x.grad.zero_()
    y[i].backward(retain_graph=i < 3)
    rows.append(x.grad.clone())
jacobian = torch.stack(rows)
print(jacobian, torch.linalg.svdvals(jacobian))
