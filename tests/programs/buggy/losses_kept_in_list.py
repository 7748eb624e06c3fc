# expect: kept-graphs @ HERE
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
history = []
for i in range(5):
    x = torch.randn(4, 2)
    loss = net(x).pow(2).mean()
    opt.zero_grad()
    loss.backward()  # HERE
    opt.step()
    history.append(loss)
print([round(float(h.detach()), 4) for h in history])
