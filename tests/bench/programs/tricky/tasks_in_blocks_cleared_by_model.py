"""Tasks come in blocks of rounds; one optimizer owns all heads, and all of it is cleared each time."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.ModuleDict({"body": nn.Linear(4, 6), "a": nn.Linear(6, 1), "b": nn.Linear(6, 1)})
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for block in range(3):
    for it in range(4):
        task = "ab"[block % 2]
        x = torch.randn(8, 4)
        net.zero_grad()
        loss = (net[task](torch.tanh(net["body"](x))).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
    print(task, loss.item())
