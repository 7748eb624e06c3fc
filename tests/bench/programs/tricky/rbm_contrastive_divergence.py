"""No backward at all: the gradient of an RBM is computed and assigned, an optimizer applies it."""

import torch

torch.manual_seed(0)
W = torch.nn.Parameter(torch.randn(6, 4) * 0.1)
a, b = torch.nn.Parameter(torch.zeros(6)), torch.nn.Parameter(torch.zeros(4))
opt = torch.optim.SGD([W, a, b], lr=0.1, momentum=0.5)
with torch.no_grad():
    for epoch in range(5):
        v0 = (torch.rand(20, 6) > 0.5).float()
        h0 = torch.sigmoid(v0 @ W + b)
        v1 = torch.sigmoid(torch.bernoulli(h0) @ W.T + a)
        h1 = torch.sigmoid(v1 @ W + b)
        W.grad = -(v0.T @ h0 - v1.T @ h1) / 20
        a.grad = -(v0 - v1).mean(0)
        b.grad = -(h0 - h1).mean(0)
        opt.step()
        print(epoch, (v0 - v1).pow(2).mean().item())
