# pattern: 4
"""Micro-batches by hand; the gradient is set to None at the top of the inner loop."""
import torch

torch.manual_seed(0)
w = torch.zeros(3, requires_grad=True)
data = torch.randn(24, 3)
target = data @ torch.tensor([1.0, 2.0, -1.0])
for epoch in range(4):
    for big in range(2):
        w.grad = None
        for micro in range(3):
            rows = slice(big * 12 + micro * 4, big * 12 + micro * 4 + 4)
            loss = (data[rows] @ w - target[rows]).square().mean() / 3
            loss.backward()
        with torch.no_grad():
            w -= 0.2 * w.grad
    print(epoch, loss.item())
