"""Variance reduction: the full gradient at an anchor, then corrected steps."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(12, 3)
Y = X.sum(1, keepdim=True)
model = nn.Linear(3, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.05)
for outer in range(2):
    anchor = copy.deepcopy(model)
    anchor.zero_grad()
    nn.functional.mse_loss(anchor(X), Y).backward()
    full = [p.grad.clone() for p in anchor.parameters()]
    for i in torch.arange(12).split(4):
        anchor.zero_grad()
        nn.functional.mse_loss(anchor(X[i]), Y[i]).backward()
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(X[i]), Y[i])
        loss.backward()
        for p, a, mu in zip(model.parameters(), anchor.parameters(), full):
            p.grad += mu - a.grad
        opt.step()
    print(loss.item())
