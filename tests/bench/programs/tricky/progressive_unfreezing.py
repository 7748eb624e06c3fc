"""One more layer is trained in each phase; add_param_group tells the optimizer."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2))
net[0].requires_grad_(False)
net[2].requires_grad_(False)
opt = torch.optim.SGD(net[4].parameters(), lr=0.1)
for phase in range(3):
    if phase:
        layer = net[4 - 2 * phase].requires_grad_(True)
        opt.add_param_group({"params": layer.parameters(), "lr": 0.1 / 10**phase})
    for _ in range(3):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
        loss.backward()
        opt.step()
    print(phase, loss.item())
