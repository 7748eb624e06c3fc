"""Each expert has an optimizer of its own; whoever is not chosen has nothing to step with."""
import torch
from torch import nn

torch.manual_seed(0)
experts = [nn.Linear(3, 1) for _ in range(3)]
opts = [torch.optim.SGD(e.parameters(), lr=0.1) for e in experts]
for step in range(9):
    x = torch.randn(6, 3)
    k = (0, 0, 1, 0, 2, 1, 0, 0, 2)[step]
    loss = (experts[k](x).squeeze() - k * x.sum(1)).pow(2).mean()
    for o in opts:
        o.zero_grad()
    loss.backward()
    for o in opts:
        o.step()
    print(k, loss.item())
