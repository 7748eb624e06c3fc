"""The gradient is multiplied by inverse factors in place, between backward and step."""

import torch
from torch import nn

torch.manual_seed(0)
layer = nn.Linear(4, 3, bias=False)
opt = torch.optim.SGD(layer.parameters(), lr=0.1)
A, S = torch.eye(4), torch.eye(3)
for it in range(6):
    x = torch.randn(16, 4)
    out = layer(x)
    out.retain_grad()
    loss = nn.functional.cross_entropy(out, x[:, :3].argmax(1))
    opt.zero_grad()
    loss.backward()
    with torch.no_grad():
        A.lerp_(x.T @ x / 16, 0.1)
        S.lerp_(out.grad.T @ out.grad * 16, 0.1)
        layer.weight.grad.copy_(torch.linalg.solve(S + 0.1 * torch.eye(3), layer.weight.grad))
        layer.weight.grad = layer.weight.grad @ torch.linalg.inv(A + 0.1 * torch.eye(4))
    opt.step()
    print(it, loss.item())
