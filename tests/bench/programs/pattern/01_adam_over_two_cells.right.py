# pattern: 1
"""House prices: the model in one cell, the training loop in the next."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(64, 5)
y = X @ torch.tensor([[2.0], [-1.0], [0.5], [0.0], [3.0]]) + 0.1 * torch.randn(64, 1)
model = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
# %%
losses = []
for epoch in range(4):
    for xb, yb in zip(X.split(32), y.split(32)):
        loss = criterion(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
# %%
print(losses)
