"""After each epoch the gradient on validation data is measured, and cleared before training goes on."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
xv = torch.randn(20, 4)
for epoch in range(4):
    for _ in range(3):
        x = torch.randn(8, 4)
        loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
    opt.zero_grad()
    (net(xv).squeeze() - xv.sum(1)).pow(2).mean().backward()
    size = torch.stack([p.grad.norm() for p in net.parameters()]).norm()
    print(epoch, loss.item(), size.item())
