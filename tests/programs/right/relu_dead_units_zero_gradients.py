"""Units that never fire get gradients of exact zeros, round after round: deposits all the same."""
import torch
from torch import nn

torch.manual_seed(0)
lin = nn.Linear(2, 3)
with torch.no_grad():
    lin.bias[0] = -100.0
dead = nn.Parameter(torch.tensor([-5.0]))
opt = torch.optim.SGD([*lin.parameters(), dead], lr=0.1)
for i in range(5):
    x = torch.rand(6, 2)
    loss = (torch.relu(lin(x)).sum(1) + torch.relu(dead) - 1).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item(), dead.grad.item())
