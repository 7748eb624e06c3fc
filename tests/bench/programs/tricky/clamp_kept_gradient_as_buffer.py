"""A momentum buffer in .grad: after each update by hand it is decayed and kept within bounds."""
import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
for i in range(6):
    x = torch.randn(10, 4)
    loss = (x @ w - x.sum(1)).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.02 * w.grad
        w.grad.mul_(0.5).clamp_(-1, 1)
    print(i, loss.item())
