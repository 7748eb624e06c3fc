import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(1))
x = torch.randn(16, 5)
net(x)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for i in range(6):
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(i, loss.item())
