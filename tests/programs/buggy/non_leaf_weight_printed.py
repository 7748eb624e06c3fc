# expect: non-leaf-grad @ HERE
"""Scaling after requires_grad=True makes a non-leaf; its .grad stays None."""
import torch

torch.manual_seed(0)
w = torch.randn(3, 1, requires_grad=True) * 0.1
x = torch.randn(5, 3)
loss = (x @ w).pow(2).sum()
loss.backward()
print(w.grad)  # HERE
