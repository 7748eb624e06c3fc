# expect: stale-optimizer | unowned-leaf @ HERE
"""k-fold cross-validation with a fresh model for every fold."""
import torch
from torch import nn

torch.manual_seed(0)
X, Y = torch.randn(15, 4), torch.randn(15, 1)
model = nn.Linear(4, 1)  # HERE
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)  # HERE
scores = []
for fold in range(3):
    val = torch.arange(15) % 3 == fold
    model = nn.Linear(4, 1)
    for epoch in range(4):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(X[~val]), Y[~val])
        loss.backward()  # HERE
        optimizer.step()  # HERE
    with torch.no_grad():
        scores.append(nn.functional.mse_loss(model(X[val]), Y[val]).item())
print(scores)
