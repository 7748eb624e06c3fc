"""clip_grad_norm_ with an infinite bound, only to know the norm; also after the step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for it in range(5):
    loss = (net(torch.randn(8, 3)) - 1).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    norm = nn.utils.clip_grad_norm_(net.parameters(), float("inf"))
    print(loss.item(), norm.item())
