# pattern: 8
import torch
from torch import nn

torch.manual_seed(0)
model, accum = nn.Linear(4, 2), 2
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(8):
    x, y = torch.randn(6, 4), torch.randint(0, 2, (6,))
    loss = nn.functional.cross_entropy(model(x), y) / accum
    loss.backward()
    if i % accum == accum - 1:
        opt.step()
        opt.zero_grad()
        print(i, loss.item() * accum)
