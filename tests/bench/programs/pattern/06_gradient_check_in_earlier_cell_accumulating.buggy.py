# pattern: 6
# expect: left-over-from-earlier-cell
"""A look at the gradient in one cell, accumulation over two batches by hand in the next."""
# %%
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)


def loss_of(n):
    x = torch.randn(n, 3)
    return (x @ w - x.sum(1)).pow(2).mean()


# %%
loss_of(4).backward()
print("gradient:", w.grad)
# %%
for it in range(4):
    for micro in range(2):
        (loss_of(8) / 2).backward()
    with torch.no_grad():
        w -= 0.1 * w.grad  # BUG
    w.grad.zero_()
    print(it, w)
