"""A control problem: LBFGS with a closure for a few steps, then Adam over the same controls."""

import torch

torch.manual_seed(0)
u = torch.zeros(10, requires_grad=True)


def rollout():
    x, v, cost = torch.tensor(1.0), torch.tensor(0.0), 0.0
    for k in range(10):
        v = v + 0.1 * u[k]
        x = x + 0.1 * v
        cost = cost + 0.1 * (x**2 + 0.01 * u[k] ** 2)
    return cost + 10 * x**2


lbfgs = torch.optim.LBFGS([u], lr=0.5, max_iter=4)


def closure():
    lbfgs.zero_grad()
    cost = rollout()
    cost.backward()
    return cost


for _ in range(3):
    print(lbfgs.step(closure).item())
adam = torch.optim.Adam([u], lr=1e-2)
for _ in range(5):
    adam.zero_grad()
    cost = rollout()
    cost.backward()
    adam.step()
    print(cost.item())
