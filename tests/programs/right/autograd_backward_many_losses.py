import torch
from torch import nn

torch.manual_seed(0)
trunk, h1, h2 = nn.Linear(3, 4), nn.Linear(4, 1), nn.Linear(4, 1)
opt = torch.optim.SGD([*trunk.parameters(), *h1.parameters(), *h2.parameters()], lr=0.05)
for i in range(5):
    x = torch.randn(6, 3)
    z = torch.relu(trunk(x))
    l1, l2 = h1(z).pow(2).mean(), (h2(z) - 1).abs().mean()
    opt.zero_grad()
    torch.autograd.backward([l1, l2], [torch.tensor(1.0), torch.tensor(0.5)])
    opt.step()
    print(i, l1.item(), l2.item())
