# expect: missing-gradient @ HERE
# raises: TypeError
"""The update stands above the backward."""
import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)


def update(lr):
    with torch.no_grad():
        w.sub_(lr * w.grad)  # HERE


for i in range(3):
    loss = (w - 1).pow(2).sum()
    update(0.1)
    loss.backward()
