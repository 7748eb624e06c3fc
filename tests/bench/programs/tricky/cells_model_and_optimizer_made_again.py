# runs: 1 2 3 2 3
"""Start over: the cell that makes model and optimizer is run again, and the training cell too."""
# %%
import torch
from torch import nn

X, y = torch.linspace(-1, 1, 20)[:, None], torch.linspace(-1, 1, 20)[:, None] ** 2
# %%
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
# %%
history = []
for step in range(6):
    loss = nn.functional.mse_loss(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    history.append(loss.item())
print(history)
