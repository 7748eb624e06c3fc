"""The batch grows: one micro-batch per step at first, four at the end."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for accum in (1, 1, 2, 2, 4, 4):
    opt.zero_grad()
    for _ in range(accum):
        x = torch.randn(4, 3)
        loss = (model(x).squeeze() - x.prod(1)).pow(2).mean() / accum
        loss.backward()
    opt.step()
    print(accum, loss.item())
