# pattern: 28
# expect: detached-loss
"""Accuracy has no gradient; loss.requires_grad_() hides that."""
import torch
from torch import nn


def triplet_accuracy_loss(a, p, n):
    closer = ((a - p).norm(dim=1) < (a - n).norm(dim=1)).float()
    return 1 - closer.mean()


torch.manual_seed(0)
embed = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
optimizer = torch.optim.Adam(embed.parameters(), lr=1e-2)
for step in range(4):
    a, p, n = embed(torch.randn(6, 5)), embed(torch.randn(6, 5)), embed(torch.randn(6, 5))
    loss = triplet_accuracy_loss(a, p, n)
    loss.requires_grad_(True)  # BUG
    optimizer.zero_grad()
    loss.backward()  # BUG
    optimizer.step()
    print(step, loss.item())
