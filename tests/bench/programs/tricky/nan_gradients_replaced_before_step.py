import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for i in range(6):
    x = torch.randn(6, 3)
    if i == 3:
        x[0] = float("nan")
    loss = (net(x) - x).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    for p in net.parameters():
        torch.nan_to_num_(p.grad, nan=0.0, posinf=0.0, neginf=0.0)
    opt.step()
    print(i, loss.item())
