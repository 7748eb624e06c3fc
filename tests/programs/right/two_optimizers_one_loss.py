import torch
from torch import nn

torch.manual_seed(0)
model = nn.ModuleDict({"embed": nn.Embedding(8, 4), "net": nn.Linear(4, 1)})
optimizers = [torch.optim.Adagrad(model["embed"].parameters(), lr=0.1), torch.optim.Adam(model["net"].parameters(), lr=0.01)]
for i in range(6):
    idx = torch.arange(8)
    loss = (model["net"](model["embed"](idx)).squeeze() - idx / 8).pow(2).mean()
    for o in optimizers:
        o.zero_grad()
    loss.backward()
    for o in optimizers:
        o.step()
    print(i, loss.item())
