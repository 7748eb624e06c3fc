# runs: 1 2 3 4 2 3 4
"""Backward in one cell, step in the next, cleared in the third; and all of it once more."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(9, 3), torch.randn(9, 1)
# %%
loss = (net(x) - y).pow(2).mean()
loss.backward()
# %%
opt.step()
print(loss.item())
# %%
opt.zero_grad()
# %%
loss = (net(x) - y).pow(2).mean()
loss.backward()
# %%
opt.step()
print(loss.item())
# %%
opt.zero_grad()
