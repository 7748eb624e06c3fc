"""The schedule counts batches, the optimizer steps every second one."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=8)
for i in range(8):
    (net(torch.randn(5, 3)).pow(2).mean() / 2).backward()
    if i % 2:
        opt.step()
        opt.zero_grad()
    scheduler.step()
