"""The gradient is cloned, cleared, and the clone is used afterwards."""
import torch

torch.manual_seed(0)
w = torch.randn(5, requires_grad=True)
for i in range(8):
    loss = (w - 1).pow(2).sum()
    loss.backward()
    g = w.grad.clone()
    w.grad = None
    w.data -= 0.1 * g
print(w)
