# expect: stale-gradient @ HERE
"""A physics-informed network: boundary and residual losses for u'' = -u."""
import torch
from torch import nn

torch.manual_seed(0)
u = nn.Sequential(nn.Linear(1, 10), nn.Tanh(), nn.Linear(10, 1))
optimizer = torch.optim.Adam(u.parameters(), lr=1e-2)
x_boundary = torch.tensor([[0.0], [1.57]], requires_grad=True)
u_boundary = torch.tensor([[0.0], [1.0]])
for epoch in range(5):
    optimizer.zero_grad()
    loss_bc = (u(x_boundary) - u_boundary).pow(2).mean()
    loss_bc.backward()
    optimizer.step()  # HERE
    x = (torch.rand(12, 1) * 1.57).requires_grad_(True)
    du = torch.autograd.grad(u(x).sum(), x, create_graph=True)[0]
    d2u = torch.autograd.grad(du.sum(), x, create_graph=True)[0]
    loss_pde = (d2u + u(x)).pow(2).mean()
    loss_pde.backward()
    optimizer.step()  # HERE
    print(epoch, loss_bc.item(), loss_pde.item())
