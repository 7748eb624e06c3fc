# expect: frozen-but-updated @ BUG
"""Freezing the backbone after a few epochs, at the wrong place."""
import torch
from torch import nn

torch.manual_seed(0)
backbone, head = nn.Linear(4, 4), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*backbone.parameters(), *head.parameters()], lr=0.1)
for epoch in range(5):
    x = torch.randn(8, 4)
    loss = (head(backbone(x).relu()) - x[:, :1]).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    if epoch == 2:
        for p in backbone.parameters():
            p.requires_grad = False  # BUG
    optimizer.step()
    print(epoch, loss.item())
