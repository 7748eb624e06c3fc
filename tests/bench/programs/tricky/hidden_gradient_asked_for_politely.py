"""A helper shows gradients of whatever has one; activations have none, and that is fine."""
import torch
from torch import nn

torch.manual_seed(0)
net, out = nn.Linear(4, 6), nn.Linear(6, 1)
opt = torch.optim.SGD([*net.parameters(), *out.parameters()], lr=0.1)
VERBOSE = False
for i in range(4):
    x = torch.randn(8, 4)
    hidden = torch.relu(net(x))
    loss = (out(hidden).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    if hidden.grad is not None:
        print("hidden", hidden.grad.norm())
    VERBOSE and print(loss.grad, hidden.grad)
    shown = hidden.grad.norm() if VERBOSE else None
    opt.step()
    print(i, loss.item(), shown)
