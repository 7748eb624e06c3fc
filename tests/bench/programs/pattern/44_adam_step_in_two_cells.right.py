# pattern: 44
"""The step was copied into the next cell, too: one backward, two steps."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
x, y = torch.randn(12, 3), torch.randn(12, 1)
# %%
optimizer.zero_grad()
loss = (net(x) - y).pow(2).mean()
loss.backward()
optimizer.step()
# %%
print((net(x) - y).pow(2).mean().item())
