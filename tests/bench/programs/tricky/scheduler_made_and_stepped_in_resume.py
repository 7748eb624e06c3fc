"""Resumed training: the scheduler is moved to epoch three in a loop before the first step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
sched = torch.optim.lr_scheduler.MultiStepLR(opt, [2, 4], gamma=0.5)
start = 3
for epoch in range(6):
    if epoch < start:
        sched.step()
        continue
    x = torch.randn(8, 3)
    opt.zero_grad()
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    opt.step()
    sched.step()
    print(epoch, loss.item(), sched.get_last_lr())
