"""Two blocks in turn; each backward reaches both, and everything is cleared before it."""

import torch

torch.manual_seed(0)
A = torch.randn(12, 4)
u = torch.randn(12, 2, requires_grad=True)
v = torch.randn(4, 2, requires_grad=True)
opt_u, opt_v = torch.optim.SGD([u], lr=0.1), torch.optim.SGD([v], lr=0.1)
for sweep in range(5):
    for opt in (opt_u, opt_v):
        opt_u.zero_grad()
        opt_v.zero_grad()
        loss = (u @ v.T - A).pow(2).mean()
        loss.backward()
        opt.step()
    print(sweep, loss.item())
