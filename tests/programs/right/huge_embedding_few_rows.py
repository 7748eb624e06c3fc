"""Of a huge table only some rows are used: the others do not move."""
import torch
from torch import nn

torch.manual_seed(0)
table, out = nn.Embedding(20_000, 60), nn.Linear(60, 1)
opt = torch.optim.SGD([*table.parameters(), *out.parameters()], lr=0.5)
for i in range(4):
    opt.zero_grad()
    out(table(torch.tensor([3, 5]))).pow(2).sum().backward()
    nn.utils.clip_grad_norm_(table.parameters(), 1.0)
    opt.step()
