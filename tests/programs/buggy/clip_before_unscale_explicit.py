# expect: clip-before-unscale @ BUG
"""The two lines in the wrong order, in a training function with SGD."""
import torch
from torch import nn


def train_step(model, batch, optimizer, scaler):
    loss = model(batch).pow(2).mean()
    scaler.scale(loss).backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.5)  # BUG
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


torch.manual_seed(0)
model = nn.Linear(6, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14)
for i in range(5):
    print(i, train_step(model, torch.randn(8, 6), optimizer, scaler))
