# expect: dead-parameters @ HERE
"""A residual branch behind a gate that is fixed at zero; Adam."""
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.base, self.branch = nn.Linear(3, 3), nn.Linear(3, 3)
        self.register_buffer("gate", torch.zeros(1))

    def forward(self, x):
        return self.base(x) + self.gate * self.branch(x)


torch.manual_seed(0)
block = Block()
opt = torch.optim.Adam(block.parameters(), lr=1e-2)
for i in range(4):
    opt.zero_grad()
    block(torch.randn(5, 3)).pow(2).mean().backward()  # HERE
    opt.step()
