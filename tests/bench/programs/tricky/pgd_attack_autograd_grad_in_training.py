import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


def attack(x, y, steps=3, eps=0.2):
    delta = torch.zeros_like(x).uniform_(-eps, eps).requires_grad_()
    for _ in range(steps):
        loss = nn.functional.cross_entropy(net(x + delta), y)
        (g,) = torch.autograd.grad(loss, delta)
        with torch.no_grad():
            delta.add_(0.1 * g.sign()).clamp_(-eps, eps)
    return (x + delta).detach()


for it in range(4):
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    adv = attack(x, y)
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(adv), y)
    loss.backward()
    opt.step()
    print(loss.item())
