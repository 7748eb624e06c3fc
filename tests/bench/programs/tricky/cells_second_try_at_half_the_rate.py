"""A step that made it worse is taken back in the next cell, and tried again, half as long."""
# %%
import copy

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=4.0)
x, y = torch.randn(20, 3), torch.randn(20, 1)
# %%
loss = (net(x) - y).pow(2).mean()
loss.backward()
saved = copy.deepcopy(net.state_dict())
optimizer.step()
print(loss.item(), (net(x) - y).pow(2).mean().item())
# %%
net.load_state_dict(saved)
optimizer.param_groups[0]["lr"] /= 2
optimizer.step()
print((net(x) - y).pow(2).mean().item())
# %%
net.load_state_dict(saved)
optimizer.param_groups[0]["lr"] /= 4
optimizer.step()
optimizer.zero_grad()
print((net(x) - y).pow(2).mean().item())
