"""Matrices by an orthogonalised momentum step, the rest by Adam; two optimizers, one backward."""

import torch
from torch import nn


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr=0.02, momentum=0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad
                buf = self.state[p].setdefault("buf", torch.zeros_like(g))
                buf.mul_(group["momentum"]).add_(g)
                x = g.add(buf, alpha=group["momentum"])
                x = x / (x.norm() + 1e-7)
                for _ in range(3):
                    x = 1.5 * x - 0.5 * x @ x.T @ x
                p.add_(x, alpha=-group["lr"])


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
muon = Muon([p for p in net.parameters() if p.ndim == 2])
adam = torch.optim.AdamW([p for p in net.parameters() if p.ndim < 2], lr=1e-2)
for it in range(6):
    x = torch.randn(8, 4)
    loss = nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long())
    loss.backward()
    muon.step()
    adam.step()
    net.zero_grad(set_to_none=True)
    print(loss.item())
