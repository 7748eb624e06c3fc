# pattern: 44
# runs: 1 2 3 3
"""Two tensors, updated through .data in a loop, in a cell that is run again."""
# %%
import torch

torch.manual_seed(0)
X, y = torch.randn(20, 2), torch.randn(20)
w, b = torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)


def loss_fn():
    return (X @ w + b - y).pow(2).mean()


# %%
print(w.grad if w.grad is not None else "no gradient yet")
# %%
w.grad = b.grad = None
loss_fn().backward()
for p in (w, b):
    p.data -= 0.3 * p.grad
print(loss_fn().item())
