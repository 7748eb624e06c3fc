"""A head that is left out of some batches has zeros, and only its momentum moves it."""

import torch
from torch import nn

torch.manual_seed(0)
body = nn.Linear(4, 6)
heads = nn.ModuleList(nn.Linear(6, 1) for _ in range(3))
params = [*body.parameters(), *heads.parameters()]
opt = torch.optim.SGD(params, lr=0.05, momentum=0.9, weight_decay=1e-4)
for it in range(9):
    opt.zero_grad(set_to_none=False)
    x = torch.randn(8, 4)
    h = torch.relu(body(x))
    k = 0 if it < 4 else it % 3
    loss = (heads[k](h).squeeze() - x[:, k]).pow(2).mean()
    loss.backward()
    opt.step()
    print(it, loss.item())
