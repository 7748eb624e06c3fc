"""The same with weights made by hand: points and weights are all bare leaves."""
import torch

torch.manual_seed(0)
a = (torch.randn(1, 6) * 0.5).requires_grad_()
b = torch.zeros(6, requires_grad=True)
c = (torch.randn(6, 1) * 0.5).requires_grad_()
points = torch.rand(12, 1, requires_grad=True)
opt = torch.optim.Adam([a, b, c], lr=1e-2)
for epoch in range(6):
    u = torch.tanh(points @ a + b) @ c
    du = torch.autograd.grad(u.sum(), points, create_graph=True)[0]
    loss = (du - torch.cos(points)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
