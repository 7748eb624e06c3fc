"""A new optimizer in a later cell, with the gradients of the last round still there: zeroed first."""

# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
x, y = torch.randn(32, 3), torch.randn(32, 1)


def fit(optimizer, epochs):
    for epoch in range(epochs):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    print(loss.item())


# %%
fit(torch.optim.SGD(model.parameters(), lr=0.1), 5)
# %%
fit(torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), 5)
# %%
print([p.grad.norm().item() for p in model.parameters()])
# %%
fit(torch.optim.Adam(model.parameters()), 3)
