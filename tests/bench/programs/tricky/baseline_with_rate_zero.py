"""A sweep over learning rates, with zero as the baseline that must not move."""

import torch
from torch import nn


def final_loss(lr):
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(8):
        x = torch.randn(16, 3)
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


for lr in (0.1, 0.01, 0.0):
    print(lr, final_loss(lr))
