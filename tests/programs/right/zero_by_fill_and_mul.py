"""Three unusual ways to empty a gradient."""
import torch

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = torch.tensor([3.0], requires_grad=True)
c = torch.tensor([0.5, 0.5, 0.5], requires_grad=True)
for i in range(5):
    loss = (a.sum() * b + c.sum() - 1).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        a -= 0.002 * a.grad
        b -= 0.002 * b.grad
        c -= 0.002 * c.grad
        a.grad.fill_(0)
        b.grad *= 0
        c.grad = torch.zeros_like(c)
    print(i, loss.item())
