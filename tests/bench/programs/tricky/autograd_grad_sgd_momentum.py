import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
params = tuple(net.parameters())
velocity = [torch.zeros_like(p) for p in params]
for step in range(6):
    x = torch.rand(16, 2)
    loss = (net(x).squeeze() - torch.sin(3 * x[:, 0])).pow(2).mean()
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, v, g in zip(params, velocity, grads):
            v.mul_(0.9).add_(g)
            p.sub_(0.05 * v)
    print(loss.item())
