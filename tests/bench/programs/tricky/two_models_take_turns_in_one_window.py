"""Two losses of one model make a window; another model trains in between, by itself."""

import torch
from torch import nn

torch.manual_seed(0)
one, two = nn.Linear(4, 2), nn.Linear(4, 1)
opt_one, opt_two = (torch.optim.SGD(m.parameters(), lr=0.05) for m in (one, two))
for it in range(5):
    x = torch.randn(8, 4)
    opt_one.zero_grad()
    nn.functional.cross_entropy(one(x), (x[:, 0] > 0).long()).backward()
    opt_two.zero_grad()
    loss = (two(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    opt_two.step()
    (0.01 * one(x).pow(2).mean()).backward()
    opt_one.step()
    print(it, loss.item())
