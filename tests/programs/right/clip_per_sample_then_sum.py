"""Differentially private SGD: each sample's gradient is clipped alone and summed elsewhere."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(3):
    sums = [torch.zeros_like(p) for p in net.parameters()]
    for x in torch.randn(4, 3):
        net.zero_grad()
        (net(x) - x.sum()).pow(2).sum().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.2)
        for s, p in zip(sums, net.parameters()):
            s += p.grad
    for s, p in zip(sums, net.parameters()):
        p.grad = s / 4
    opt.step()
