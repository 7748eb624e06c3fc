"""GEM: the memory's gradient is stored, cleared, and the new one is projected if they disagree."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 3)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
memory = (torch.randn(6, 4), torch.randint(0, 3, (6,)))


def flat():
    return torch.cat([p.grad.flatten() for p in net.parameters()])


for it in range(6):
    opt.zero_grad()
    nn.functional.cross_entropy(net(memory[0]), memory[1]).backward()
    ref = flat().clone()
    opt.zero_grad()
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    g = flat()
    if g @ ref < 0:
        g = g - (g @ ref) / (ref @ ref) * ref
        at = 0
        for p in net.parameters():
            p.grad.data.copy_(g[at : at + p.numel()].view_as(p))
            at += p.numel()
    opt.step()
    print(it, loss.item())
