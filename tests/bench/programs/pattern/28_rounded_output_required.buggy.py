# pattern: 28
# expect: detached-loss | step-without-gradient | unreached-leaf
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
    count = counter(x).round().int().float()
    loss = nn.functional.l1_loss(count, true)
    loss.requires_grad = True  # BUG
    opt.zero_grad()
    loss.backward()  # BUG
    opt.step()
    print(i, loss.item())
