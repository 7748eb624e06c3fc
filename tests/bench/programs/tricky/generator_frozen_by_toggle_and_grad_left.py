"""requires_grad is toggled around each network's turn; gradients of the other one are left, unused."""
import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Linear(3, 4), nn.Linear(4, 1)
opt_g, opt_d = (torch.optim.Adam(m.parameters(), lr=1e-2) for m in (G, D))


def turn(on, off):
    for p in on.parameters():
        p.requires_grad_(True)
    for p in off.parameters():
        p.requires_grad_(False)


for it in range(5):
    turn(D, G)
    opt_d.zero_grad()
    (D(G(torch.randn(8, 3))).mean() - D(torch.randn(8, 4) + 1).mean()).backward()
    opt_d.step()
    turn(G, D)
    opt_g.zero_grad()
    loss = -D(G(torch.randn(8, 3))).mean()
    loss.backward()
    opt_g.step()
    print(it, loss.item())
