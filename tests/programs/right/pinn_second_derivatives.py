"""A physics-informed network: derivatives by autograd.grad with create_graph, then backward."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for it in range(5):
    t = torch.rand(20, 1, requires_grad=True)
    u = net(t)
    u_t = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
    u_tt = torch.autograd.grad(u_t, t, torch.ones_like(u_t), create_graph=True)[0]
    residual = (u_tt + u).pow(2).mean()
    zero = torch.zeros(1, 1)
    boundary = (net(zero) - 1).pow(2).mean()
    loss = residual + boundary
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(it, loss.item())
