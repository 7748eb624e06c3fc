"""Gradient ascent on an image: x.data += lr * x.grad / norm, x.grad.zero_()."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2))
for p in net.parameters():
    p.requires_grad_(False)
img = torch.rand(1, 1, 10, 10, requires_grad=True)
for i in range(10):
    activation = net(img)[0, 1].norm()
    activation.backward()
    g = img.grad.data
    img.data += 0.5 * g / g.abs().mean()
    img.data.clamp_(-1, 2)
    img.grad.zero_()
    print(i, "%.4f" % activation.item())
