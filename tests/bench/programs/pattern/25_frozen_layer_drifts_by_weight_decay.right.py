# pattern: 25
"""Zeros instead of None keep a frozen layer moving, by momentum and weight decay."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.05)
for step in range(8):
    if step == 3:
        model[0].requires_grad_(False)
        opt = torch.optim.SGD(model[2].parameters(), lr=0.1, momentum=0.9, weight_decay=0.05)
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    opt.zero_grad(set_to_none=False)
    loss.backward()
    opt.step()
    print(step, loss.item(), model[0].weight.norm().item())
