"""Grad-CAM: the gradient of an activation is kept with retain_grad."""
import torch
from torch import nn

torch.manual_seed(0)
conv, fc = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)
for image in torch.randn(3, 1, 1, 6, 6):
    act = torch.relu(conv(image))
    act.retain_grad()
    score = fc(act.mean((2, 3)))[0].max()
    conv.zero_grad()
    fc.zero_grad()
    score.backward()
    weights = act.grad.mean((2, 3), keepdim=True)
    cam = torch.relu((weights * act).sum(1))
    print(cam.max().item())
