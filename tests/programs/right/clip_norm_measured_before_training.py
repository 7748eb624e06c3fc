"""The helper that clips is called once on the fresh model, to learn that its norm is zero."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
print("before:", float(nn.utils.clip_grad_norm_(net.parameters(), 1.0)))
for i in range(4):
    opt.zero_grad()
    (net(torch.randn(5, 3)) - 1).abs().mean().backward()
    print(float(nn.utils.clip_grad_norm_(net.parameters(), 1.0)))
    opt.step()
