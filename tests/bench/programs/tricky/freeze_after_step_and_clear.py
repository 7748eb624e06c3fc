"""Frozen between two rounds, with the gradients cleared: nothing moves any more."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
for epoch in range(6):
    if epoch == 3:
        model[0].requires_grad_(False)
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    loss.backward()
    opt.step()
    opt.zero_grad(set_to_none=True)
    print(loss.item(), model[0].weight.sum().item())
