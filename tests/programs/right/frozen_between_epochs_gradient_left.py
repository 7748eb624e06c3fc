"""Frozen while the last gradient is still there; zero_grad comes before the next step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-2)
for epoch in range(6):
    if epoch == 3:
        for p in net[0].parameters():
            p.requires_grad = False
    opt.zero_grad()
    (net(torch.randn(8, 3)) - 1).pow(2).mean().backward()
    opt.step()
