# expect: in-place-on-leaf @ HERE
# raises: RuntimeError
"""Initialising a registered parameter in a function."""
import torch
from torch import nn


def shrink(layer):
    weight = layer.weight
    weight *= 0.1  # HERE


torch.manual_seed(0)
net = nn.Linear(3, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
net(torch.randn(2, 3)).sum().backward()
opt.step()
shrink(net)
