# pattern: 28
"""Accuracy has no gradient; loss.requires_grad_() hides that."""
import torch
from torch import nn


def triplet_accuracy_loss(a, p, n):
    margin = (a - p).norm(dim=1) - (a - n).norm(dim=1) + 0.5
    return margin.clamp(min=0).mean()


torch.manual_seed(0)
embed = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.Adam(embed.parameters(), lr=1e-2)
for step in range(4):
    a, p, n = embed(torch.randn(6, 5)), embed(torch.randn(6, 5)), embed(torch.randn(6, 5))
    loss = triplet_accuracy_loss(a, p, n)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
