"""Two kinds of clipping after one backward: nothing newer arrives between them."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(5):
    x = torch.randn(8, 3)
    opt.zero_grad()
    (net(x) - x.sum(1, keepdim=True)).pow(2).mean().backward()
    nn.utils.clip_grad_value_(net.parameters(), 0.05)
    nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    opt.step()
