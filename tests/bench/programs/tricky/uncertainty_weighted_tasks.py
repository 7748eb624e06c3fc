"""Kendall's weights: a log-variance for each task is trained along, at a rate of its own."""

import torch
from torch import nn


class MultiTaskLoss(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.log_vars = nn.Parameter(torch.zeros(n))

    def forward(self, losses):
        return sum(torch.exp(-s) * loss + s for s, loss in zip(self.log_vars, losses))


torch.manual_seed(0)
trunk = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
heads = nn.ModuleDict({"depth": nn.Linear(8, 1), "label": nn.Linear(8, 3)})
criterion = MultiTaskLoss(2)
groups = [{"params": [*trunk.parameters(), *heads.parameters()]}]
groups.append({"params": criterion.parameters(), "lr": 1e-1, "weight_decay": 0.0})
optimizer = torch.optim.AdamW(groups, lr=1e-2)
for it in range(6):
    x = torch.randn(12, 4)
    h = trunk(x)
    depth = (heads["depth"](h).squeeze() - x.sum(1)).abs().mean()
    label = nn.functional.cross_entropy(heads["label"](h), x[:, :3].argmax(1))
    total = criterion([depth, label])
    optimizer.zero_grad(set_to_none=False)
    total.backward()
    optimizer.step()
    print(total.item(), criterion.log_vars.tolist())
