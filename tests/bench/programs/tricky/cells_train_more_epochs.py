# runs: 1 2 2 3
"""The training cell is run twice to train longer, as everybody does."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
X, y = torch.randn(24, 3), torch.randint(0, 2, (24,))
net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
# %%
for epoch in range(3):
    for i in torch.arange(24).split(8):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(X[i]), y[i])
        loss.backward()
        opt.step()
    print(loss.item())
# %%
with torch.no_grad():
    print((net(X).argmax(1) == y).float().mean())
