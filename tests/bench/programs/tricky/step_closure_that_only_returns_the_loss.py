"""Some code bases hand a closure to every optimizer, also after the backward has run."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for i in range(5):
    x = torch.randn(8, 3)
    optimizer.zero_grad()
    loss = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
    loss.backward()
    optimizer.step(lambda: loss)
    print(i, loss.item())
