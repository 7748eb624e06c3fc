# expect: stale-gradient @ HERE
"""The value is replaced through .data by a fresh tensor; the leaf and its gradient stay."""
import torch

theta = torch.tensor([2.0, -1.0], requires_grad=True)
for step in range(6):
    loss = theta.pow(2).sum()
    loss.backward()
    new = theta.detach() - 0.1 * theta.grad
    theta.data.copy_(new)  # HERE
print(theta)
