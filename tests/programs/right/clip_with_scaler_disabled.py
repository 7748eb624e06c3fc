"""The same loop on a machine without half precision: the scaler does nothing."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 2)
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu", enabled=False)


def step(x):
    opt.zero_grad()
    scaler.scale((net(x) - 3).pow(2).mean()).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    scaler.unscale_(opt)
    scaler.step(opt)
    scaler.update()


for i in range(4):
    step(torch.randn(8, 4))
