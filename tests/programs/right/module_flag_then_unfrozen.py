"""A flag of that name, next to the real switch, which is turned on again later."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1))
net[0].requires_grad = False
net[0].requires_grad_(False)
opt = torch.optim.SGD(net.parameters(), lr=0.1)


def epoch():
    opt.zero_grad()
    (net(torch.randn(6, 3)) - 1).pow(2).mean().backward()
    opt.step()


epoch()
epoch()
net[0].requires_grad_(True)
epoch()
epoch()
