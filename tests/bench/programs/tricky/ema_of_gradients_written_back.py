"""The smoothed gradient replaces .grad before each step, and is kept apart."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
slow = {n: torch.zeros_like(p) for n, p in net.named_parameters()}
for it in range(8):
    x = torch.randn(8, 4)
    opt.zero_grad()
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    for n, p in net.named_parameters():
        slow[n] = 0.8 * slow[n] + 0.2 * p.grad
        p.grad = p.grad + 2 * slow[n]
    opt.step()
    print(it, loss.item())
