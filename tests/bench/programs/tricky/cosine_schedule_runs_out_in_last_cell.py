"""The schedule ends at a rate of zero; a few more batches pass to warm up the averages."""

# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)


def batch():
    x = torch.randn(16, 4)
    opt.zero_grad()
    loss = (net(x) - x.sum(1, keepdim=True)).pow(2).mean()
    loss.backward()
    opt.step()
    return loss.item()


# %%
for epoch in range(6):
    print(batch(), sched.get_last_lr())
    sched.step()
# %%
for _ in range(2):
    print(batch(), sched.get_last_lr())
