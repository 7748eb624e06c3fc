# expect: unowned-leaf @ HERE
"""Siamese network with contrastive loss; both branches share their weights."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
left = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
right = copy.deepcopy(left)
optimizer = torch.optim.RMSprop(left.parameters(), lr=1e-3)  # HERE
for step in range(5):
    x1, x2, same = torch.randn(8, 6), torch.randn(8, 6), torch.randint(0, 2, (8,)).float()
    optimizer.zero_grad()
    distance = nn.functional.pairwise_distance(left(x1), right(x2))
    loss = (same * distance.pow(2) + (1 - same) * (1.0 - distance).clamp(min=0).pow(2)).mean()
    loss.backward()  # HERE
    optimizer.step()  # HERE
    print(step, loss.item())
