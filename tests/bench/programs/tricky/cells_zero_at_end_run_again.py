# runs: 1 2 2
# %%
import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
data = torch.randn(12, 4)
# %%
for row in data.split(4):
    loss = ((row @ w) - row.sum(1)).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w.add_(w.grad, alpha=-0.1)
    w.grad = None
    print(loss.item())
