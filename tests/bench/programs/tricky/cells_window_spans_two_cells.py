"""Accumulation by hand over cells: two batches, one step."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 2)
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
# %%
nn.functional.cross_entropy(net(torch.randn(4, 4)), torch.tensor([0, 1, 0, 1])).div(2).backward()
# %%
nn.functional.cross_entropy(net(torch.randn(4, 4)), torch.tensor([1, 1, 0, 0])).div(2).backward()
opt.step()
opt.zero_grad()
