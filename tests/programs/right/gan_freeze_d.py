"""requires_grad of D is switched off while G trains."""
import torch
from torch import nn


def set_requires_grad(net, flag):
    for p in net.parameters():
        p.requires_grad = flag


torch.manual_seed(8)
G, D = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
oG, oD = torch.optim.RMSprop(G.parameters(), lr=1e-2), torch.optim.RMSprop(D.parameters(), lr=1e-2)
bce = nn.functional.binary_cross_entropy_with_logits
for it in range(6):
    fake = G(torch.randn(8, 2))
    set_requires_grad(D, False)
    oG.zero_grad()
    loss_G = bce(D(fake), torch.ones(8, 1))
    loss_G.backward()
    oG.step()
    set_requires_grad(D, True)
    oD.zero_grad()
    loss_D = bce(D(fake.detach()), torch.zeros(8, 1)) + bce(D(torch.randn(8, 2) + 1), torch.ones(8, 1))
    loss_D.backward()
    oD.step()
    print(it, loss_G.item(), loss_D.item())
