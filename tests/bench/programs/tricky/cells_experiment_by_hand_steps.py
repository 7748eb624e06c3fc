"""A notebook that takes three steps by hand, a cell for each, with everything done in each."""

# %%
import torch

x = torch.linspace(-1, 1, 12)
y = 2 * x + 1
a = torch.tensor(0.0, requires_grad=True)
b = torch.tensor(0.0, requires_grad=True)
# %%
loss = ((a * x + b - y) ** 2).mean()
loss.backward()
print(a.grad, b.grad)
# %%
with torch.no_grad():
    a -= 0.5 * a.grad
    b -= 0.5 * b.grad
print(a, b)
# %%
a.grad, b.grad = None, None
loss = ((a * x + b - y) ** 2).mean()
loss.backward()
with torch.no_grad():
    a -= 0.5 * a.grad
    b -= 0.5 * b.grad
print(a, b)
# %%
for t in (a, b):
    t.grad.zero_()
loss = ((a * x + b - y) ** 2).mean()
loss.backward()
print(a.grad, b.grad)
