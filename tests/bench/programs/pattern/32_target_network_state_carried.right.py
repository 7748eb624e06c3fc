# pattern: 32
"""A running mean of the predictions carries the graph of every earlier round."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
centre = torch.zeros(2)
for i in range(4):
    out = net(torch.randn(8, 3))
    centre = 0.9 * centre.detach() + 0.1 * out.mean(0)
    loss = (out - centre).pow(2).mean() - out.std()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
