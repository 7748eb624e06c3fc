# expect: vanishing-gradient @ HERE
import torch
from torch import nn

torch.manual_seed(0)
layers = [m for _ in range(14) for m in (nn.Linear(8, 8), nn.Sigmoid())]
net = nn.Sequential(*layers, nn.Linear(8, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(5):
    x = torch.randn(16, 8)
    loss = (net(x) - x.sum(1, keepdim=True)).pow(2).mean()
    opt.zero_grad()
    loss.backward()  # HERE
    opt.step()
    print(i, loss.item())
