"""requires_grad switched on after the tensor was made; grad is None before backward."""
import torch

a = torch.ones(2, 2) * 3
print(a.requires_grad, a.grad)
a.requires_grad_(True)
b = (a * a).sum()
print(a.grad)
b.backward()
print(a.grad, b.grad_fn is not None)
