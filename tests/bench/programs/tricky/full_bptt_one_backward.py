"""The state is carried through the whole sequence on purpose; one backward at its end."""
import torch
from torch import nn

torch.manual_seed(0)
cell, readout = nn.LSTMCell(1, 6), nn.Linear(6, 1)
opt = torch.optim.Adam([*cell.parameters(), *readout.parameters()], lr=1e-2)
for epoch in range(4):
    h, c, loss = torch.zeros(3, 6), torch.zeros(3, 6), 0
    for x in torch.rand(7, 3, 1):
        h, c = cell(x, (h, c))
        loss = loss + (readout(h) - x).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item() / 7)
