# pattern: 44
# expect: left-over-from-earlier-cell | stale-gradient | leftover-before-first-step
# runs: 1 2 2 3
"""The cell with the backward pass is run twice, as one does to look again."""
# %%
import torch

torch.manual_seed(0)
x, y = torch.randn(12, 2), torch.randn(12)
w = torch.zeros(2, requires_grad=True)
# %%
loss = (x @ w - y).pow(2).mean()
loss.backward()
print(w.grad)
# %%
with torch.no_grad():
    w -= 0.1 * w.grad  # BUG
print(w)
