# expect: in-place-on-leaf @ HERE
# raises: RuntimeError
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
for i in range(3):
    loss = (torch.randn(5, 3) @ w).pow(2).mean()
    loss.backward()
    w -= 0.1 * w.grad  # HERE
    w.grad.zero_()
