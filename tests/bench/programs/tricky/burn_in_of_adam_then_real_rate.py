"""The moments of Adam are filled for six steps at a rate of zero, then training begins."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: 0.0 if k < 6 else 1.0)
for it in range(12):
    x = torch.randn(8, 4)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    print(it, loss.item())
