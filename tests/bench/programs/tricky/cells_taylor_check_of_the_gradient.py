"""One gradient, looked at again and again: steps along it are computed, and none is taken."""
# %%
import torch

torch.manual_seed(0)
A = torch.randn(3, 3)
w = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)


def f(v):
    return (A @ v).pow(2).sum() + v.exp().sum()


# %%
f(w).backward()
# %%
with torch.no_grad():
    for h in (1e-1, 1e-2, 1e-3):
        predicted = f(w) - h * w.grad @ w.grad
        print(h, (f(w - h * w.grad) - predicted).item() / h)
# %%
with torch.no_grad():
    w -= 1e-2 * w.grad
print(f(w).item())
# %%
with torch.no_grad():
    tries = [f(w - h * w.grad).item() for h in (1e-3, 1e-2)]
print(tries)
w.grad = None
