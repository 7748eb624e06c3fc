"""Rounds with too large a gradient are thrown away."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
skipped = 0
for step in range(8):
    x = torch.randn(8, 4) * (30.0 if step % 4 == 3 else 1.0)
    loss = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1e9)
    if norm > 100:
        skipped += 1
        optimizer.zero_grad()
        continue
    optimizer.step()
    optimizer.zero_grad()
    print(step, loss.item())
print(skipped)
