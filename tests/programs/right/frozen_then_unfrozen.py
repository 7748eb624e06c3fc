"""All parameters in the optimizer; the first layer is frozen for two epochs."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for p in model[0].parameters():
    p.requires_grad = False
x = torch.randn(16, 4)
y = x[:, :1].abs()
for epoch in range(5):
    if epoch == 2:
        for p in model[0].parameters():
            p.requires_grad = True
    opt.zero_grad()
    loss = (model(x) - y).pow(2).mean()
    loss.backward()
    opt.step()
    print(epoch, loss.item(), model[0].weight.grad is None)
