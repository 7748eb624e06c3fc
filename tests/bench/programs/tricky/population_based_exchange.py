"""The worse model takes over the better one's weights, in place."""
import torch
from torch import nn

torch.manual_seed(0)
pop = [nn.Linear(3, 1) for _ in range(2)]
opts = [torch.optim.SGD(m.parameters(), lr=lr, momentum=0.9) for m, lr in zip(pop, (0.1, 0.01))]
for generation in range(3):
    scores = []
    for m, o in zip(pop, opts):
        for _ in range(2):
            x = torch.randn(8, 3)
            loss = (m(x).squeeze() - x.sum(1)).pow(2).mean()
            loss.backward()
            o.step()
            o.zero_grad()
        scores.append(loss.item())
    worse = scores.index(max(scores))
    pop[worse].load_state_dict(pop[1 - worse].state_dict())
    print(scores)
