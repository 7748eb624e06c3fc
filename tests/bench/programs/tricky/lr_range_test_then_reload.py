"""A range test raises the rate until the loss explodes; then everything is reloaded."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
saved = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
x = torch.randn(32, 4)
y = x.sum(1, keepdim=True)


def train_batch():
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


rates, losses = [], []
lr = 1e-4
while lr < 10 and (len(losses) < 2 or losses[-1] < 4 * min(losses)):
    for g in optimizer.param_groups:
        g["lr"] = lr
    losses.append(train_batch())
    rates.append(lr)
    lr *= 3
model.load_state_dict(saved[0])
optimizer.load_state_dict(saved[1])
for g in optimizer.param_groups:
    g["lr"] = rates[losses.index(min(losses))] / 10
for _ in range(5):
    print(train_batch())
