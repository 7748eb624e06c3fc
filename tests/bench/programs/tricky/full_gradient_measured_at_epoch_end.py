"""After each epoch the gradient over all data is summed up, looked at and dropped."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
data = [(torch.randn(4, 4), torch.randint(0, 2, (4,))) for _ in range(3)]
for epoch in range(4):
    for x, y in data:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
    opt.zero_grad()
    for x, y in data:
        (nn.functional.cross_entropy(model(x), y) / len(data)).backward()
    print(epoch, loss.item(), model.weight.grad.norm().item())
    opt.zero_grad()
