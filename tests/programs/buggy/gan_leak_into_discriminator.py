# expect: leaked-gradient @ HERE
"""D is zeroed right after its step, so what G's backward leaves in D is used by D's next step."""
import torch
from torch import nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
D = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(), nn.Linear(8, 1))
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3)
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3)
bce = nn.BCEWithLogitsLoss()
for it in range(5):
    real, fake = torch.randn(8, 2) + 2, G(torch.randn(8, 3))
    loss_D = bce(D(real), torch.ones(8, 1)) + bce(D(fake.detach()), torch.zeros(8, 1))
    loss_D.backward()
    opt_D.step()  # HERE
    opt_D.zero_grad()

    loss_G = bce(D(fake), torch.ones(8, 1))
    loss_G.backward()
    opt_G.step()
    opt_G.zero_grad()
    print(it, loss_D.item(), loss_G.item())
