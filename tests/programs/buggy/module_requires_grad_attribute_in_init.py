# expect: module-not-frozen @ BUG
"""In __init__, for every child of the encoder; SGD."""
import torch
from torch import nn


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4))
        self.head = nn.Linear(4, 1)
        self.encoder.requires_grad = False  # BUG

    def forward(self, x):
        return self.head(self.encoder(x))


torch.manual_seed(0)
net = Segmenter()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for i in range(4):
    x = torch.randn(5, 3)
    opt.zero_grad()
    (net(x) - 1).pow(2).mean().backward()
    opt.step()
