# pattern: 45
# expect: nonfinite-gradient
"""A row that is masked out entirely: softmax of minus infinity everywhere."""
import math

import torch
from torch import nn

torch.manual_seed(0)
query, key, value = (nn.Linear(4, 4) for _ in range(3))
params = [p for m in (query, key, value) for p in m.parameters()]
opt = torch.optim.SGD(params, lr=0.05)
for step in range(4):
    x = torch.randn(2, 3, 4)
    mask = torch.zeros(2, 3, dtype=torch.bool)
    mask[0] = step == 2
    scores = query(x) @ key(x).transpose(1, 2) / 2
    scores = scores.masked_fill(mask[:, None, :], -math.inf)
    out = scores.softmax(-1) @ value(x)
    loss = (out - x).pow(2).nan_to_num().mean()
    opt.zero_grad()
    loss.backward()  # BUG
    opt.step()  # BUG
    print(step, loss.item(), query.weight.sum().item())
