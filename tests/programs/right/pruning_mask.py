"""Magnitude pruning: the mask is applied to weights and gradients after each step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
masks = {n: (p.abs() > p.abs().median()).float() for n, p in net.named_parameters() if p.dim() > 1}
with torch.no_grad():
    for n, p in net.named_parameters():
        if n in masks:
            p.mul_(masks[n])
for i in range(6):
    x = torch.randn(12, 6)
    loss = (net(x).squeeze() - x[:, 0]).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    for n, p in net.named_parameters():
        if n in masks:
            p.grad.data.mul_(masks[n])
    opt.step()
    for n, p in net.named_parameters():
        if n in masks:
            p.data.mul_(masks[n])
print(loss.item(), int(sum((p == 0).sum() for p in net.parameters())))
