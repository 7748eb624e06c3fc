"""One tensor has a gradient that is given once and never computed: it drifts on purpose."""
import torch

torch.manual_seed(0)
theta = torch.randn(3, requires_grad=True)
clock = torch.zeros(1, requires_grad=True)
clock.grad = -torch.ones(1)
opt = torch.optim.SGD([{"params": [theta]}, {"params": [clock], "lr": 1.0}], lr=0.1)
for i in range(6):
    theta.grad = None
    loss = (theta - torch.sin(clock.detach())).pow(2).sum()
    loss.backward()
    opt.step()
    print(i, loss.item(), clock.item())
