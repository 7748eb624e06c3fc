# expect: scheduler-before-optimizer @ BUG
"""A warm-up per batch, between backward and step, in a function with Adam."""
import torch
from torch import nn


def train(model, optimizer, scheduler, batches):
    for x in batches:
        loss = model(x).pow(2).sum(1).mean()
        loss.backward()
        scheduler.step()  # BUG
        optimizer.step()
        optimizer.zero_grad()
        print(loss.item())


torch.manual_seed(0)
net = nn.Linear(4, 2)
adam = torch.optim.Adam(net.parameters(), lr=1e-2)
warm = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: min(1.0, (k + 1) / 4))
train(net, adam, warm, [torch.randn(5, 4) for _ in range(6)])
