# pattern: 34
# expect: leaked-gradient
"""Without detach the discriminator's loss reaches the generator, which is cleared too early."""
import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(3, 4), nn.Linear(4, 1)
opt_g, opt_d = (torch.optim.SGD(m.parameters(), lr=0.05) for m in (G, D))
bce = nn.functional.binary_cross_entropy_with_logits
for it in range(6):
    opt_g.zero_grad()
    opt_d.zero_grad()
    real, z = torch.randn(8, 4) + 1, torch.randn(8, 3)
    fake = G(z)
    (bce(D(real), torch.ones(8, 1)) + bce(D(fake), torch.zeros(8, 1))).backward()
    opt_d.step()
    g_loss = bce(D(G(z)), torch.ones(8, 1))
    g_loss.backward()
    opt_g.step()  # BUG
    print(it, g_loss.item())
