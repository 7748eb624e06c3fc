import torch
from torch import nn

torch.manual_seed(0)
models = [nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)) for _ in range(3)]
optimizers = [torch.optim.SGD(m.parameters(), lr=0.05) for m in models]
for it in range(4):
    x = torch.randn(8, 2)
    for m, o in zip(models, optimizers):
        o.zero_grad()
        loss = (m(x).squeeze() - x.prod(1)).pow(2).mean()
        loss.backward()
        o.step()
    print(loss.item())
