"""Both schedulers in every iteration, the generator's optimizer in every second one."""
import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(2, 2), nn.Linear(2, 1)
opts = [torch.optim.RMSprop(m.parameters(), lr=1e-2) for m in (G, D)]
schedulers = [torch.optim.lr_scheduler.ExponentialLR(o, 0.99) for o in opts]
for i in range(8):
    z, real = torch.randn(5, 2), torch.randn(5, 2) + 2
    opts[1].zero_grad()
    (D(G(z).detach()) - D(real)).mean().backward()
    opts[1].step()
    if i % 2:
        opts[0].zero_grad()
        (-D(G(z))).mean().backward()
        opts[0].step()
    for s in schedulers:
        s.step()
