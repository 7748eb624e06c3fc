# pattern: 44
# expect: step-without-gradient
# runs: 1 3 2
"""Cells run out of order: the step comes before there is a gradient."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(2, 2)
opt = torch.optim.Adam(net.parameters(), lr=0.1)
x, y = torch.randn(6, 2), torch.randint(0, 2, (6,))
# %%
loss = nn.functional.cross_entropy(net(x), y)
loss.backward()
print(loss.item())
# %%
opt.step()  # BUG
opt.zero_grad()
print(net.weight.sum().item())
