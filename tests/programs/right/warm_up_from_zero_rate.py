"""The first epoch runs at a learning rate of exactly zero, and one group keeps it."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(3, 3), nn.Linear(3, 1)
groups = [{"params": body.parameters(), "lr": 0.0}, {"params": head.parameters(), "lr": 0.1}]
opt = torch.optim.SGD(groups)
for i in range(5):
    opt.zero_grad()
    (head(body(torch.randn(6, 3)).relu()) - 1).pow(2).mean().backward()
    opt.step()
