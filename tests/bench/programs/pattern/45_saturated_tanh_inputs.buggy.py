# pattern: 45
# expect: vanishing-gradient | dead-parameters
"""Inputs in the thousands saturate the tanh: the first layer's gradient is nothing at all."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(8):
    x = torch.randint(1000, 5000, (16, 3)).float()
    y = x.sum(1, keepdim=True) / 1e4
    loss = (net(x) - y).pow(2).mean()
    opt.zero_grad()
    loss.backward()  # BUG
    opt.step()
    print(step, loss.item(), net[0].weight.grad.norm().item())
