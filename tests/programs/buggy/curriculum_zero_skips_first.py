# expect: stale-gradient @ HERE
"""Curriculum: a new optimizer for every phase, harder data each time."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
for phase, (noise, lr) in enumerate([(0.0, 0.1), (0.5, 0.05), (1.0, 0.01)]):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for step in range(3):
        x = torch.randn(8, 4)
        y = x.sum(1, keepdim=True) + noise * torch.randn(8, 1)
        loss = (model(x) - y).pow(2).mean()
        if step > 0:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # HERE
    print(phase, loss.item())
