"""The first scaled gradients overflow, so GradScaler skips the step before the scheduler's."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
scheduler = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.1, total_steps=10)
for i in range(8):
    scaler.scale((net(torch.randn(5, 3)) - 9).pow(2).mean()).backward()
    scaler.step(opt)
    scaler.update(2.0**8)
    opt.zero_grad()
    scheduler.step()
