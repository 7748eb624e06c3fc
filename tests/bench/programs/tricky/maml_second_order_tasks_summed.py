"""The outer loss of several tasks goes backward one task at a time, then one meta step."""

import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
meta = torch.optim.Adam(net.parameters(), lr=1e-2)


def task():
    amp, phase = torch.rand(1) * 4 + 0.5, torch.rand(1) * 3
    return lambda n: (lambda x: (x, amp * torch.sin(x + phase)))(torch.rand(n, 1) * 6 - 3)


for it in range(4):
    meta.zero_grad()
    for _ in range(3):
        draw = task()
        fast = dict(net.named_parameters())
        for _ in range(2):
            x, y = draw(5)
            inner = (functional_call(net, fast, (x,)) - y).pow(2).mean()
            grads = torch.autograd.grad(inner, tuple(fast.values()), create_graph=True)
            fast = {k: p - 0.05 * g for (k, p), g in zip(fast.items(), grads)}
        x, y = draw(10)
        outer = (functional_call(net, fast, (x,)) - y).pow(2).mean() / 3
        outer.backward()
    meta.step()
    print(outer.item())
