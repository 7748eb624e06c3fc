# expect: exploding-gradient @ HERE
"""The sign of the update is wrong; by hand."""
import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
for i in range(20):
    loss = (w - 1).pow(2).sum()
    loss.backward()  # HERE
    with torch.no_grad():
        w += 0.2 * w.grad
    w.grad.zero_()
