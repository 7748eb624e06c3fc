"""Each micro-batch's own gradient is clipped in a hook, before it is added."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
for p in net.parameters():
    p.register_hook(lambda g: g.clamp(-0.1, 0.1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(9):
    (net(torch.randn(5, 3)) - 1).pow(2).mean().backward()
    if i % 3 == 2:
        nn.utils.clip_grad_norm_(net.parameters(), 0.2)
        opt.step()
        opt.zero_grad()
