# pattern: 23
# expect: module-not-frozen
"""A helper freezes whole modules by their attribute, in a cell before the training."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
base = nn.ModuleList([nn.Linear(4, 6), nn.Linear(6, 6)])
head = nn.Linear(6, 2)
# %%
def freeze(modules):
    for m in modules:
        m.requires_grad = False  # BUG


freeze(base)
# %%
opt = torch.optim.Adam([*base.parameters(), *head.parameters()], lr=1e-2)
for i in range(4):
    x = torch.randn(8, 4)
    loss = nn.functional.cross_entropy(head(torch.relu(base[1](base[0](x)))), (x[:, 0] > 0).long())
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
