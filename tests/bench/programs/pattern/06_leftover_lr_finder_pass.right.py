# pattern: 6
"""A trial pass measures the gradient norm; training zeroes at the end of each round only."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
X, Y = torch.randn(32, 4), torch.randn(32, 1)


def grad_norm(model):
    return sum(p.grad.norm() ** 2 for p in model.parameters()).sqrt().item()


trial = nn.functional.mse_loss(model(X), Y)
trial.backward()
print("initial gradient norm", grad_norm(model))
model.zero_grad()
for step in range(6):
    loss = nn.functional.mse_loss(model(X), Y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(step, loss.item(), sum(p.abs().sum() for p in model.parameters()).item())
