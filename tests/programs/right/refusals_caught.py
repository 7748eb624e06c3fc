"""Code that tries what PyTorch refuses, and goes on."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(3):
    opt.zero_grad()
    net(torch.randn(4, 2)).pow(2).mean().backward()
    opt.step()
w = torch.ones(2, requires_grad=True)
for attempt in (lambda: w.add_(1), lambda: w.backward(), lambda: 2 * w.grad):
    try:
        attempt()
    except (RuntimeError, TypeError) as error:
        print(type(error).__name__)
