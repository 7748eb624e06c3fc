# pattern: 11
"""Everything by hand: the gradients are clamped when the weights have moved already."""
import torch

torch.manual_seed(0)
X = torch.randn(30, 4) * 5
y = X.sum(1) + torch.randn(30)
w = torch.zeros(4, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for epoch in range(6):
    loss = (X @ w + b - y).pow(2).mean()
    loss.backward()
    for p in (w, b):
        p.grad.clamp_(-1, 1)
    with torch.no_grad():
        for p in (w, b):
            p -= 0.01 * p.grad
    w.grad = b.grad = None
    print(epoch, loss.item())
