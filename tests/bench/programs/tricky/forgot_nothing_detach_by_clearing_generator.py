"""The discriminator's loss is not detached; the generator is cleared before its own backward."""

import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(3, 4), nn.Linear(4, 1)
opt_g, opt_d = (torch.optim.Adam(m.parameters(), lr=1e-2) for m in (G, D))
bce = nn.functional.binary_cross_entropy_with_logits
for it in range(5):
    fake, real = G(torch.randn(8, 3)), torch.randn(8, 4) + 1
    d_loss = bce(D(real), torch.ones(8, 1)) + bce(D(fake), torch.zeros(8, 1))
    opt_d.zero_grad()
    d_loss.backward(retain_graph=True)
    opt_d.step()
    g_loss = bce(D(G(torch.randn(8, 3))), torch.ones(8, 1))
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
    print(d_loss.item(), g_loss.item())
