import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(5, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(6):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(8, 5)), torch.randint(0, 3, (8,)))
    loss.backward()
    for p in model.parameters():
        p.grad.add_(torch.randn_like(p.grad), alpha=0.01 / (1 + step) ** 0.55)
    optimizer.step()
    print(loss.item())
