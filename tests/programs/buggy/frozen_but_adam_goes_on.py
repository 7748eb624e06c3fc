# expect: frozen-but-updated @ BUG
"""Gradients are zeros instead of None: Adam's averages go on moving the frozen layer."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)


def step():
    x = torch.randn(6, 3)
    loss = (net(x) - x.sum(1, keepdim=True)).pow(2).mean()
    opt.zero_grad(set_to_none=False)
    loss.backward()
    opt.step()
    return loss.item()


for i in range(3):
    print(step())
net[0].requires_grad_(False)  # BUG
for i in range(3):
    print(step())
