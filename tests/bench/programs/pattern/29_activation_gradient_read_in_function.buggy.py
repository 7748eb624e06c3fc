# pattern: 29
# expect: non-leaf-grad | missing-gradient
"""The loop of a function reads the gradient of a hidden layer, which torch does not keep."""
import torch
from torch import nn

torch.manual_seed(0)
net, out = nn.Linear(4, 6), nn.Linear(6, 1)
opt = torch.optim.SGD([*net.parameters(), *out.parameters()], lr=0.1)
for i in range(4):
    x = torch.randn(8, 4)
    hidden = torch.tanh(net(x))
    loss = (out(hidden).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    saliency = hidden.grad  # BUG
    print(i, loss.item(), saliency)
