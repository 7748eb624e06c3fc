# pattern: 8
# expect: none: a smaller loss is a smaller step, which somebody may want
import torch
from torch import nn

torch.manual_seed(0)
model, accum = nn.Linear(4, 2), 2
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(8):
    x, y = torch.randn(6, 4), torch.randint(0, 2, (6,))
    loss = nn.functional.cross_entropy(model(x), y) / accum
    loss.backward(gradient=torch.tensor(1.0 / accum))  # BUG
    if i % accum == accum - 1:
        opt.step()
        opt.zero_grad()
        print(i, loss.item() * accum)
