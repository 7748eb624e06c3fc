"""A batch whose loss is not finite is skipped with everything collected so far."""
import math

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for i in range(12):
    x = torch.randn(8, 4)
    if i == 5:
        x[0, 0] = math.inf
    loss = (model(x).squeeze() - 1).pow(2).mean() / 2
    if not torch.isfinite(loss):
        print("skipped", i)
        opt.zero_grad()
        continue
    loss.backward()
    if i % 2 == 1:
        opt.step()
        opt.zero_grad()
print(model.bias.item())
