# expect: discarded-contribution @ BUG
"""Meant as accumulation over four; only the fourth is ever used."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(12):
    x = torch.randn(3, 5)
    optimizer.zero_grad()  # BUG
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean() / 4
    loss.backward()
    if (i + 1) % 4 == 0:
        optimizer.step()
        print(i, loss.item())
