"""After training the last gradient is clamped and shown as a picture."""

import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(5):
    x = torch.randn(12, 9)
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long())
    loss.backward()
    opt.step()
    if epoch % 2 == 0:
        print((net[0].weight.grad.clone().clamp_(-0.1, 0.1) * 10).norm())
image = net[0].weight.grad.clamp_(-0.05, 0.05).add_(0.05).mul_(10)
print(image.view(4, 3, 3)[0])
