"""DiLoCo: workers train by themselves; the outer optimizer steps along what they moved by."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
outer = torch.optim.SGD(model.parameters(), lr=0.7, momentum=0.9, nesterov=True)
for round_ in range(3):
    deltas = [torch.zeros_like(p) for p in model.parameters()]
    for worker in range(2):
        local = copy.deepcopy(model)
        local.zero_grad()
        inner = torch.optim.AdamW(local.parameters(), lr=1e-2)
        for h in range(3):
            x = torch.randn(4, 3)
            loss = (local(x) - x.sum(1, keepdim=True)).pow(2).mean()
            loss.backward()
            inner.step()
            inner.zero_grad()
        for d, p, q in zip(deltas, model.parameters(), local.parameters()):
            d += (p.data - q.data) / 2
    for p, d in zip(model.parameters(), deltas):
        p.grad = d
    outer.step()
    print(round_, loss.item())
