import copy

import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
ema = copy.deepcopy(model)
for p in ema.parameters():
    p.detach_()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for it in range(5):
    x, u, y = torch.randn(6, 4), torch.randn(10, 4), torch.randint(0, 2, (6,))
    sup = F.cross_entropy(model(x), y)
    cons = F.mse_loss(model(u).softmax(1), ema(u).softmax(1).detach())
    loss = sup + min(1.0, it / 3) * cons
    opt.zero_grad()
    loss.backward()
    opt.step()
    for e, p in zip(ema.parameters(), model.parameters()):
        e.data.mul_(0.99).add_(p.data, alpha=0.01)
    print(loss.item())
