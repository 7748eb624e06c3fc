# pattern: 44
# expect: reused-gradient | left-over-from-earlier-cell
# runs: 1 2 3 3 3
"""The cell with the update is run again and again without a new backward."""
# %%
import torch

torch.manual_seed(0)
w = torch.tensor([5.0, -3.0], requires_grad=True)
# %%
loss = (w - 1).pow(2).sum()
loss.backward()
# %%
with torch.no_grad():
    w -= 0.4 * w.grad  # BUG
print(w)
