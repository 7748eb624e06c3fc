# pattern: 44
# runs: 1 2 3 3 3
"""The cell with optimizer.step() is run three times for one backward."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.2)
x, y = torch.randn(8, 3), torch.randn(8, 1)
# %%
loss = (net(x) - y).pow(2).mean()
loss.backward()
# %%
opt.zero_grad()
(net(x) - y).pow(2).mean().backward()
opt.step()
print((net(x) - y).pow(2).mean().item())
