# pattern: 28
# %%
import torch
from torch import nn

torch.manual_seed(0)
counter = nn.Linear(4, 1)
opt = torch.optim.SGD(counter.parameters(), lr=0.05)
# %%
for i in range(4):
    x = torch.rand(8, 4)
    with torch.no_grad():
        true = x.sum(1, keepdim=True).round()
    count = counter(x)
    loss = nn.functional.l1_loss(count, true)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
