# expect: non-leaf-grad @ HERE
# raises: TypeError
"""`.to()` made another tensor; the update fails on None."""
import torch

torch.manual_seed(0)
w = torch.randn(3, 1, requires_grad=True).to(torch.float64)
x = torch.randn(5, 3, dtype=torch.float64)
loss = (x @ w).pow(2).sum()
loss.backward()
with torch.no_grad():
    w -= 0.1 * w.grad  # HERE
