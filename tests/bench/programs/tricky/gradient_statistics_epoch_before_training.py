"""The variance of gradients is measured batch by batch before training, with the same helper."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)


def gradient():
    opt.zero_grad()
    x = torch.randn(8, 4)
    nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long()).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


samples = torch.stack([gradient().clone() for _ in range(10)])
print("variance", samples.var(0).mean())
for step in range(5):
    gradient()
    opt.step()
print(net.weight)
