# expect: stale-optimizer | unowned-leaf @ HERE
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential()
model.add_module("body", nn.Linear(4, 4))
model.add_module("fc", nn.Linear(4, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # HERE
model.fc = nn.Linear(4, 2)  # HERE
x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
for epoch in range(4):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()  # HERE
    optimizer.step()  # HERE
    print(epoch, loss.item())
