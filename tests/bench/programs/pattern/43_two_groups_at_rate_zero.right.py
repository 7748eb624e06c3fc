# pattern: 43
"""Step decay by // in a LambdaLR, two groups, the step in a function with accumulation."""
import torch
from torch import nn


def apply():
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    scheduler.step()


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
groups = [{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.2}]
optimizer = torch.optim.SGD(groups, lr=0.1)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: (9 - k) / 10)
for it in range(7):
    for micro in range(2):
        x = torch.randn(8, 4)
        loss = (net(x).squeeze() - x.sum(1)).pow(2).mean() / 2
        loss.backward()
    apply()
    print(it, loss.item())
