# expect: nonfinite-gradient @ HERE
"""Learning rate far too large, by hand, until the gradient overflows."""
import torch

w = torch.tensor([3.0], requires_grad=True)
for i in range(8):
    loss = (w**4).sum()
    loss.backward()  # HERE
    with torch.no_grad():
        w -= 10.0 * w.grad  # HERE
    w.grad = None
    print(i, w.item())
