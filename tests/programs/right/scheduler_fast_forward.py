"""Resuming without a checkpoint of the scheduler: it is moved forward first."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.ExponentialLR(opt, 0.9)
for _ in range(3):
    scheduler.step()
for epoch in range(3, 6):
    opt.zero_grad()
    net(torch.randn(5, 3)).pow(2).mean().backward()
    opt.step()
    scheduler.step()
