import torch
from torch import nn

torch.manual_seed(0)
cell, out = nn.GRUCell(2, 5), nn.Linear(5, 1)
opt = torch.optim.Adam([*cell.parameters(), *out.parameters()], lr=1e-2)
h, loss = torch.zeros(1, 5), 0.0
for t, x in enumerate(torch.randn(12, 1, 2)):
    h = cell(x, h)
    loss = loss + (out(h) - x.sum()).pow(2).mean()
    if (t + 1) % 4 == 0:
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(t, loss.item())
        h, loss = h.detach(), 0.0
