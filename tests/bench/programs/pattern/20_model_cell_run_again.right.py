# pattern: 20
# runs: 1 2 3 2 4
"""The model's cell is run again; the optimizer, in a cell of its own, still has the first model."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
X, y = torch.randn(24, 4), torch.randint(0, 2, (24,))
# %%
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
# %%
print(sum(p.numel() for p in model.parameters()))
# %%
for epoch in range(4):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(X), y)
    loss.backward()
    optimizer.step()
    print(epoch, loss.item())
