# pattern: 45
"""The derivative of a norm at zero is NaN, and one NaN takes the whole model along."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 3, bias=False)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(5):
    x = torch.randn(4, 3)
    if step == 2:
        x[0] = 0
    out = model(x)
    loss = out.pow(2).sum(1).add(1e-12).sqrt().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
