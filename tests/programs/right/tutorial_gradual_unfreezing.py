"""ULMFiT: one group after another is unfrozen, each with a smaller rate, under OneCycleLR."""
import torch
from torch import nn

torch.manual_seed(0)
groups = [nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)]
model = nn.Sequential(groups[0], nn.ReLU(), groups[1], nn.ReLU(), groups[2])


def freeze_to(n):
    for i, group in enumerate(groups):
        for p in group.parameters():
            p.requires_grad_(i >= n)


for n in (2, 1, 0):
    freeze_to(n)
    opt = torch.optim.AdamW(
        [{"params": g.parameters(), "lr": 1e-2 / 2.6 ** (2 - i)} for i, g in enumerate(groups)]
    )
    rates = [g["lr"] for g in opt.param_groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, rates, total_steps=4)
    for _ in range(4):
        x = torch.randn(8, 4)
        loss = nn.functional.cross_entropy(model(x), (x.sum(1) > 0).long())
        loss.backward()
        opt.step()
        schedule.step()
        opt.zero_grad()
    print(n, loss.item())
