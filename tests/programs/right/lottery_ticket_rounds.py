"""Lottery tickets: train, prune by magnitude, rewind, train again with masked gradients."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 2))
start = copy.deepcopy(model.state_dict())
mask = {n: torch.ones_like(p) for n, p in model.named_parameters()}
for round_ in range(3):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(4):
        x, y = torch.randn(8, 6), torch.randint(0, 2, (8,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        for name, p in model.named_parameters():
            p.grad.data.mul_(mask[name])
        optimizer.step()
    for name, p in model.named_parameters():
        if "weight" in name:
            k = int(0.2 * mask[name].sum())
            alive = p.data.abs()[mask[name] > 0]
            mask[name] = mask[name] * (p.data.abs() > alive.kthvalue(k).values)
    model.load_state_dict(start)
    for name, p in model.named_parameters():
        p.data.mul_(mask[name])
    print(round_, loss.item())
