"""The decay rate is learned along with the network; the collocation points require grad, too."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
rate = torch.tensor(0.5, requires_grad=True)
t = torch.linspace(0, 1, 10).unsqueeze(1).requires_grad_(True)
data = torch.exp(-2 * t.detach())
optimizer = torch.optim.Adam([*net.parameters(), rate], lr=1e-2)
for epoch in range(6):
    optimizer.zero_grad()
    u = net(t)
    (du,) = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)
    loss = (du + rate * u).pow(2).mean() + (u - data).pow(2).mean()
    loss.backward()
    optimizer.step()
    print(loss.item(), rate.item())
