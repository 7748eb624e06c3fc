# pattern: 43
"""The schedule came to its end in the cell before; the training cell is run on with a rate of zero."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.01)
sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.0, total_iters=6)


def train(rounds):
    for _ in range(rounds):
        x = torch.randn(16, 4)
        opt.zero_grad()
        loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
        sched.step()
    print(loss.item())


# %%
train(6)
# %%
sched = torch.optim.lr_scheduler.LinearLR(opt, 0.5, 0.1, total_iters=6)
opt.param_groups[0]["lr"] = 0.025
train(6)
