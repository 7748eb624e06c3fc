# expect: missing-gradient @ HERE
# raises: TypeError
"""A norm that is logged after zero_grad, which sets to None."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(3):
    net(torch.randn(5, 3)).pow(2).mean().backward()
    opt.step()
    opt.zero_grad()
    print(i, sum(2 * p.grad for p in net.parameters()))  # HERE
