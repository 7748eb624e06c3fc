# pattern: 45
# expect: dead-parameters
"""A bias of -10 before the ReLU: no unit ever fires, the first layer's gradient is exactly zero."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
nn.init.constant_(net[0].bias, -10.0)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(8):
    x = torch.rand(16, 4)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()  # BUG
    opt.step()
    print(step, loss.item())
