"""One weight in nn.Linear, moved by SGD."""
import torch
from torch import nn, optim

torch.manual_seed(0)
model = nn.Linear(1, 1, bias=False)
with torch.no_grad():
    model.weight.fill_(-0.8820)
optimizer = optim.SGD(model.parameters(), lr=0.1)
x = torch.tensor([[2.0]])
y = torch.tensor([[10.0]])
for epoch in range(20):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(epoch, model.weight.item(), model.weight.grad.item())
