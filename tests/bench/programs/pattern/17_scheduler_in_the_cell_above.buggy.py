# pattern: 17
# expect: scheduler-before-optimizer
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.2)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
# %%
for epoch in range(4):
    sched.step()  # BUG
    x = torch.randn(8, 4)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(epoch, loss.item(), opt.param_groups[0]["lr"])
