"""Coordinate-wise training: only one block's gradients are used per round, all are zeroed."""
import torch
from torch import nn

torch.manual_seed(0)
a, b = nn.Linear(3, 3), nn.Linear(3, 1)
opt_a = torch.optim.SGD(a.parameters(), lr=0.1)
opt_b = torch.optim.SGD(b.parameters(), lr=0.1)
model = nn.Sequential(a, nn.Tanh(), b)
for i in range(8):
    x = torch.randn(6, 3)
    model.zero_grad()
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    (opt_a if i % 2 else opt_b).step()
    print(i, loss.item())
