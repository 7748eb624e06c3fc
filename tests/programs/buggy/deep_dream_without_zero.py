# expect: stale-gradient @ HERE
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()).requires_grad_(False)
img = torch.rand(1, 1, 6, 6, requires_grad=True)
for i in range(6):
    loss = net(img).norm()
    loss.backward()
    avg = img.grad.data.abs().mean()
    img.data += 0.1 * img.grad.data / avg  # HERE
    print(loss.item())
