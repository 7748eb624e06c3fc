# pattern: 1
"""A typing mistake that Python forgives: `grads` is a new attribute, the gradient stays."""
import torch

torch.manual_seed(0)
A = torch.randn(4, 4, requires_grad=True)
x = torch.randn(12, 4)
for it in range(6):
    loss = (x @ A - x.flip(1)).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        A -= 0.2 * A.grad
    A.grad = None
    print(it, loss.item())
