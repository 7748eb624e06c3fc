"""The adjoint method: the backward of a Function solves an equation with autograd.grad inside."""

import torch
from torch import nn


class OdeSolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y, steps, dt, func, *params):
        with torch.no_grad():
            for _ in range(steps):
                y = y + dt * func(y)
        ctx.save_for_backward(y)
        ctx.rest = steps, dt, func
        return y

    @staticmethod
    def backward(ctx, adj):
        (y,) = ctx.saved_tensors
        steps, dt, func = ctx.rest
        params = tuple(func.parameters())
        sums = [torch.zeros_like(p) for p in params]
        for _ in range(steps):
            with torch.enable_grad():
                y = y.detach().requires_grad_(True)
                f = func(y)
                grads = torch.autograd.grad(f, (y, *params), adj)
            y = y - dt * f
            adj = adj + dt * grads[0]
            sums = [s + dt * g for s, g in zip(sums, grads[1:])]
        return adj, None, None, None, *sums


torch.manual_seed(0)
func = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 2))
optimizer = torch.optim.RMSprop(func.parameters(), lr=1e-2)
for itr in range(5):
    optimizer.zero_grad()
    y0 = torch.randn(8, 2)
    y1 = OdeSolve.apply(y0.requires_grad_(True), 4, 0.1, func, *func.parameters())
    loss = (y1 - y0.detach().flip(1)).abs().mean()
    loss.backward()
    optimizer.step()
    print(itr, loss.item())
