"""The perturbation is what is trained; the network is only in the way, and not frozen."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
delta = torch.zeros(6, requires_grad=True)
opt = torch.optim.Adam([delta], lr=0.05)
for step in range(6):
    x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
    loss = -nn.functional.cross_entropy(net(x + delta), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        delta.clamp_(-0.3, 0.3)
    print(loss.item())
