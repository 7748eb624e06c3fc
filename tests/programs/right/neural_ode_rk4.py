"""A neural ODE by Runge-Kutta steps, fitted to a spiral."""
import torch
from torch import nn

torch.manual_seed(0)
f = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
true_A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
optimizer = torch.optim.RMSprop(f.parameters(), lr=1e-3)


def rk4(func, y, h, steps):
    path = [y]
    for _ in range(steps):
        k1 = func(y)
        k2 = func(y + h / 2 * k1)
        k3 = func(y + h / 2 * k2)
        k4 = func(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(y)
    return torch.stack(path)


y0 = torch.tensor([[2.0, 0.0]])
with torch.no_grad():
    truth = rk4(lambda y: y**3 @ true_A, y0, 0.025, 10)
for itr in range(4):
    optimizer.zero_grad()
    loss = (rk4(f, y0, 0.025, 10) - truth).abs().mean()
    loss.backward()
    optimizer.step()
    print(itr, loss.item())
