"""Backward for every batch, and those whose gradient is too large are thrown away before the step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
kept = 0
for it in range(12):
    x = torch.randn(4, 4) * (10 if it % 3 else 1)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    norm = sum(p.grad.norm() ** 2 for p in net.parameters()) ** 0.5
    if norm > 10:
        opt.zero_grad()
        continue
    opt.step()
    opt.zero_grad()
    kept += 1
print(kept, loss.item())
