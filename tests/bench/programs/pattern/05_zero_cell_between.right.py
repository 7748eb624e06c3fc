# pattern: 5
"""Cells in the wrong order: the clearing stands between the backward and the step."""
# %%
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 3), torch.randn(8, 1)
# %%
loss = (model(x) - y).pow(2).mean()
loss.backward()
# %%
print(loss.item())
# %%
optimizer.step()
print((model(x) - y).pow(2).mean().item())
