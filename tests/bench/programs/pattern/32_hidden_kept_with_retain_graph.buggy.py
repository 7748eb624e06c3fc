# pattern: 32
# expect: growing-graph
"""retain_graph=True silences the error; every backward goes through all earlier rounds."""
import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.h2h, self.x2h, self.out = nn.Linear(5, 5), nn.Linear(1, 5), nn.Linear(5, 1)

    def forward(self, x, h):
        h = torch.tanh(self.h2h(h) + self.x2h(x))
        return self.out(h), h


torch.manual_seed(0)
cell = Cell()
lr = 0.05
h = torch.zeros(1, 5)
for t in range(8):
    x = torch.tensor([[float(t % 3)]])
    prediction, h = cell(x, h)
    loss = (prediction - (t + 1) % 3).pow(2).mean()
    cell.zero_grad()
    loss.backward(retain_graph=True)  # BUG
    print(t, loss.item(), cell.h2h.weight.grad.norm().item())
