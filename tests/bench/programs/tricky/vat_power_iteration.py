"""Virtual adversarial training: the direction gets its gradient by backward, the network drops it."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)


def vat_loss(x):
    with torch.no_grad():
        pred = F.softmax(net(x), 1)
    d = F.normalize(torch.randn_like(x), dim=1)
    for _ in range(1):
        d.requires_grad_()
        F.kl_div(F.log_softmax(net(x + 0.1 * d), 1), pred, reduction="batchmean").backward()
        d = F.normalize(d.grad, dim=1)
        net.zero_grad()
    return F.kl_div(F.log_softmax(net(x + d), 1), pred, reduction="batchmean")


for it in range(5):
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    extra = vat_loss(torch.randn(8, 4))
    loss = F.cross_entropy(net(x), y) + extra
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(it, loss.item())
