# expect: kept-graphs @ HERE
"""total_loss += loss, without .item()."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
total_loss = 0
for i in range(6):
    x = torch.randn(8, 3)
    loss = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()  # HERE
    optimizer.step()
    total_loss += loss
print(float(total_loss))
