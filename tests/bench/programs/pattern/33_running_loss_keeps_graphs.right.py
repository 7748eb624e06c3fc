# pattern: 33
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
total_loss = 0
for i in range(6):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    total_loss += loss.item()
print(float(total_loss) / 6)
