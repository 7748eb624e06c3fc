"""The sharpness is measured between the steps, by products with the Hessian; .grad is left alone."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
x, y = torch.randn(20, 3), torch.randn(20, 1)
params = list(net.parameters())


def sharpness():
    v = [torch.randn_like(p) for p in params]
    grads = torch.autograd.grad((net(x) - y).pow(2).mean(), params, create_graph=True)
    for _ in range(4):
        size = torch.sqrt(sum((a * a).sum() for a in v))
        v = [a / size for a in v]
        hv = torch.autograd.grad(grads, params, grad_outputs=v, retain_graph=True)
        top = sum((a * b).sum() for a, b in zip(v, hv))
        v = list(hv)
    return top.item()


for epoch in range(5):
    loss = (net(x) - y).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    print(epoch, loss.item(), sharpness())
    opt.step()
