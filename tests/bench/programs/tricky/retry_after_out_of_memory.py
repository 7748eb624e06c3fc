"""A batch that fails halfway is tried again in halves, after clearing."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05)


def work(x, limit=6):
    if len(x) > limit:
        raise RuntimeError("out of memory (pretended)")
    return (model(x).squeeze() - x.sum(1)).pow(2).sum()


for n in (4, 6, 10, 5):
    x = torch.randn(n, 4)
    try:
        loss = work(x) / n
        loss.backward()
    except RuntimeError:
        opt.zero_grad()
        for half in x.chunk(2):
            loss = work(half) / n
            loss.backward()
    opt.step()
    opt.zero_grad()
    print(n, loss.item())
