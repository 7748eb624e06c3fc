# expect: changed-in-place @ HERE
# raises: RuntimeError
"""x += 1 after exp, whose derivative is its own result; update by hand."""
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
for i in range(3):
    y = torch.exp(w * torch.randn(3))
    y += 1
    y.sum().backward()  # HERE
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
