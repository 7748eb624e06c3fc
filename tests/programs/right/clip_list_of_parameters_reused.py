"""The generator is used up by list(), and the list is what everyone gets."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
generator = net.parameters()
params = list(generator)
opt = torch.optim.Adam(params, lr=1e-2)
adapters = []
for i in range(4):
    opt.zero_grad()
    net(torch.randn(5, 3)).pow(2).mean().backward()
    nn.utils.clip_grad_norm_(params, 1.0)
    nn.utils.clip_grad_norm_(iter(params), 1.0)
    opt.step()
