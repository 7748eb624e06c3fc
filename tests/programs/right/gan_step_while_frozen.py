"""The discriminator's step comes while it is frozen for the generator; it is switched on again."""
import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(2, 2), nn.Linear(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-2)
opt_d = torch.optim.Adam(D.parameters(), lr=1e-2)


def set_requires_grad(net, flag):
    for p in net.parameters():
        p.requires_grad = flag


for i in range(4):
    fake = G(torch.randn(6, 2))
    set_requires_grad(D, True)
    opt_d.zero_grad()
    (D(fake.detach()).mean() - D(torch.randn(6, 2) + 3).mean()).backward()
    set_requires_grad(D, False)
    opt_g.zero_grad()
    (-D(fake).mean()).backward()
    opt_d.step()
    opt_g.step()
