"""Eligibility traces live in .grad: decayed before each backward, used with each error."""

import torch
from torch import nn

torch.manual_seed(0)
value = nn.Linear(4, 1)
gamma, lam, alpha = 0.9, 0.8, 0.05
for episode in range(3):
    value.zero_grad()
    s = torch.randn(4)
    for t in range(5):
        v = value(s)
        for p in value.parameters():
            if p.grad is not None:
                p.grad.mul_(gamma * lam)
        v.backward()
        s2, r = torch.randn(4), torch.randn(1)
        with torch.no_grad():
            delta = r + gamma * value(s2) - v
            for p in value.parameters():
                p += alpha * delta.item() * p.grad
        s = s2
    print(episode, delta.item())
