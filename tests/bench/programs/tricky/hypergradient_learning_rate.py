"""The learning rate is itself learned from the product of successive gradients."""
import torch

torch.manual_seed(0)
w = torch.randn(5, requires_grad=True)
lr, previous = 0.01, torch.zeros(5)
for t in range(10):
    x = torch.randn(16, 5)
    loss = (x @ w - x[:, 0]).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        lr += 1e-3 * float(w.grad @ previous)
        previous = w.grad.clone()
        w -= lr * w.grad
    w.grad = None
    print(loss.item(), lr)
