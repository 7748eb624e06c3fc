"""The picture is the only thing that is trained; the network's gradients pile up unread."""

import torch
from torch import nn

torch.manual_seed(0)
features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))
content, style = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)


def gram(f):
    f = f.flatten(2)
    return f @ f.transpose(1, 2) / f.shape[2]


with torch.no_grad():
    goal_c, goal_s = features(content), gram(features(style))
image = content.clone().requires_grad_(True)
optimizer = torch.optim.Adam([image], lr=0.02)
for step in range(6):
    optimizer.zero_grad()
    f = features(image)
    loss = (f - goal_c).pow(2).mean() + 10 * (gram(f) - goal_s).pow(2).mean()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        image.clamp_(0, 1)
    print(step, loss.item())
