"""Each round's sequence, and with it the graph, is longer; retain_graph for a second loss."""
import torch
from torch import nn

torch.manual_seed(0)
cell, out = nn.RNNCell(2, 4), nn.Linear(4, 1)
opt = torch.optim.SGD([*cell.parameters(), *out.parameters()], lr=0.05)
for length in range(2, 8):
    h = torch.zeros(3, 4)
    for t in range(length):
        h = cell(torch.randn(3, 2), h)
    opt.zero_grad()
    out(h).pow(2).mean().backward(retain_graph=True)
    (0.01 * h.abs().mean()).backward()
    opt.step()
