import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
compiled = torch.compile(net, backend="eager")
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x = torch.randn(8, 4)
for i in range(4):
    opt.zero_grad()
    loss = compiled(x).pow(2).mean()
    loss.backward()
    opt.step()
    print(i, loss.item())
