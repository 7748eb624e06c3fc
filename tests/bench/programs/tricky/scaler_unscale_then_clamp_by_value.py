"""Unscaled first, then clamped by hand, then stepped; gradients are looked at after the step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(5, 2)
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu")
for it in range(5):
    x = torch.randn(8, 5)
    loss = nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long())
    opt.zero_grad()
    scaler.scale(loss).backward()
    scaler.unscale_(opt)
    for p in net.parameters():
        p.grad.clamp_(-0.1, 0.1)
    scaler.step(opt)
    scaler.update()
    print(it, loss.item(), max(p.grad.abs().max().item() for p in net.parameters()))
