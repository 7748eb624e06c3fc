# pattern: 31
# expect: changed-in-place
# raises: RuntimeError
"""The score of the fake batch is computed before D's step and used for G after it."""
import torch
from torch import nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
D = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3)
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3)
for it in range(3):
    real, fake = torch.randn(8, 2) + 2, G(torch.randn(8, 2))
    score = D(fake)
    loss_D = nn.functional.softplus(-D(real)).mean() + nn.functional.softplus(score).mean()
    opt_D.zero_grad()
    loss_D.backward(retain_graph=True)
    opt_D.step()  # BUG
    loss_G = nn.functional.softplus(-score).mean()
    opt_G.zero_grad()
    loss_G.backward()  # BUG
    opt_G.step()
    print(it, loss_D.item(), loss_G.item())
