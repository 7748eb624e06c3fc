"""The class keeps its argument as an attribute, and really freezes its layers."""
import torch
from torch import nn


class Features(nn.Module):
    def __init__(self, requires_grad=False):
        super().__init__()
        self.slice1, self.slice2 = nn.Linear(4, 4), nn.Linear(4, 4)
        self.requires_grad = requires_grad
        if not requires_grad:
            for param in self.parameters():
                param.requires_grad = False

    def forward(self, x):
        a = self.slice1(x).relu()
        return a, self.slice2(a).relu()


torch.manual_seed(0)
vgg, net = Features(), nn.Linear(4, 4)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for i in range(4):
    x = torch.randn(6, 4)
    opt.zero_grad()
    sum((a - b).pow(2).mean() for a, b in zip(vgg(net(x)), vgg(x))).backward()
    opt.step()
