"""Stops after a backward whose gradient nobody uses."""
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
for i in range(50):
    loss = (w - 1).pow(2).sum()
    w.grad = None
    loss.backward()
    if w.grad.norm() < 1.0:
        break
    w.data.sub_(0.2 * w.grad)
print(i, loss.item())
