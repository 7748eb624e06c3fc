# expect: leaked-gradient @ HERE
"""G trains first and zeroes only itself; its backward is still in D when D steps."""
import torch
from torch import nn

torch.manual_seed(0)
G = nn.Linear(3, 2)
D = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
opt_G = torch.optim.RMSprop(G.parameters(), lr=1e-3)
opt_D = torch.optim.RMSprop(D.parameters(), lr=1e-3)
for it in range(5):
    z = torch.randn(8, 3)
    opt_G.zero_grad()
    loss_G = -D(G(z)).mean()
    loss_G.backward()
    opt_G.step()
    loss_D = D(G(z).detach()).mean() - D(torch.randn(8, 2) + 1).mean()
    loss_D.backward()
    opt_D.step()  # HERE
    opt_D.zero_grad()
    print(it, loss_G.item(), loss_D.item())
