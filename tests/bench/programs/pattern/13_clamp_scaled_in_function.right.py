# pattern: 13
"""A helper clamps the gradients; the scaler divides them only in step()."""
import torch
from torch import nn


def clamp_gradients(model, limit):
    for p in model.parameters():
        if p.grad is not None:
            p.grad.data.clamp_(-limit, limit)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu")
for it in range(5):
    x = torch.randn(8, 4)
    optimizer.zero_grad()
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    clamp_gradients(model, 1.0)
    scaler.step(optimizer)
    scaler.update()
    print(it, loss.item())
