# pattern: 24
# expect: reused-gradient
"""Adam, two micro-batches per step; the second task ends, and only the first task's net is cleared."""
import torch
from torch import nn

torch.manual_seed(0)
first, second = nn.Linear(4, 1), nn.Linear(4, 1)
opt = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=0.01)
for it in range(8):
    for net in (first, second) if it < 2 else (first,):
        net.zero_grad()
    for micro in range(2):
        x = torch.randn(8, 4)
        loss = (first(x).squeeze() - x.sum(1)).pow(2).mean() / 2
        if it < 2:
            loss = loss + (second(x).squeeze() - x[:, 0]).pow(2).mean() / 2
        loss.backward()
    opt.step()  # BUG
    print(it, loss.item(), second.weight.sum().item())
