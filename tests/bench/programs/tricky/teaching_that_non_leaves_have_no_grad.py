# %%
import torch

a = torch.tensor(3.0, requires_grad=True)
b = a * 2
c = b**2
b.retain_grad()
# %%
c.backward()
print("a:", a.grad, "b:", b.grad, "is b a leaf?", b.is_leaf)
