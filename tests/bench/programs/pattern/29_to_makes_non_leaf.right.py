# pattern: 29
"""requires_grad first, then .to(): what has the name is the result of an operation."""
import torch

device_dtype = torch.float64
torch.manual_seed(0)
w = torch.randn(3, 1).to(device_dtype).requires_grad_()
x = torch.randn(10, 3, dtype=device_dtype)
y = x.sum(1, keepdim=True)
loss = (x @ w - y).pow(2).mean()
loss.backward()
print("gradient", w.grad)
