# expect: dead-parameters @ HERE
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
nn.init.constant_(net[0].bias, -100.0)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(4):
    opt.zero_grad()
    loss = (net(torch.randn(6, 3)) - 1).pow(2).mean()
    loss.backward()  # HERE
    opt.step()
