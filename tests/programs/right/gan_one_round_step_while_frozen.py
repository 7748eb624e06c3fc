"""One round in a cell of its own: the critic's step comes after its freezing, as planned."""
import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(2, 2), nn.Linear(2, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-2)
opt_d = torch.optim.Adam(D.parameters(), lr=1e-2)
fake = G(torch.randn(6, 2))
(D(fake.detach()).pow(2).mean() + (D(torch.randn(6, 2)) - 1).pow(2).mean()).backward()
for p in D.parameters():
    p.requires_grad_(False)
(D(fake) - 1).pow(2).mean().backward()
opt_d.step()
opt_g.step()
