"""Two students teach each other; each takes the other's answer as given."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
nets = [nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)) for _ in range(2)]
optimizers = [torch.optim.SGD(n.parameters(), lr=0.05, momentum=0.9) for n in nets]
for step in range(6):
    x, y = torch.randn(10, 5), torch.randint(0, 3, (10,))
    logits = [net(x) for net in nets]
    for me, other in ((0, 1), (1, 0)):
        kl = F.kl_div(F.log_softmax(logits[me], 1), F.softmax(logits[other].detach(), 1))
        loss = F.cross_entropy(logits[me], y) + kl
        optimizers[me].zero_grad()
        loss.backward()
        optimizers[me].step()
    print(step, loss.item())
