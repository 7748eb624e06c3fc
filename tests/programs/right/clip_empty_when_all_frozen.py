"""A fresh expression each time, which is empty while everything of that part is frozen."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, head = nn.Linear(3, 3), nn.Linear(3, 1)
encoder.requires_grad_(False)
opt = torch.optim.SGD(head.parameters(), lr=0.1)
for i in range(4):
    opt.zero_grad()
    (head(encoder(torch.randn(5, 3))) - 1).pow(2).mean().backward()
    for part in (encoder, head):
        nn.utils.clip_grad_norm_([p for p in part.parameters() if p.requires_grad], 1.0)
    opt.step()
