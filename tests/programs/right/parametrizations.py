import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

torch.manual_seed(0)
net = nn.Sequential(weight_norm(nn.Linear(4, 6)), nn.Tanh(), spectral_norm(nn.Linear(6, 6)), orthogonal(nn.Linear(6, 2)))
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for i in range(4):
    x = torch.randn(9, 4)
    loss = (net(x) - x[:, :2]).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, "%.5f" % loss.item())
