"""Polak-Ribiere: the direction remembers, .grad does not."""
import torch

torch.manual_seed(0)
A = torch.randn(5, 5)
A = A @ A.T + torch.eye(5)
b = torch.randn(5)
x = torch.zeros(5, requires_grad=True)
g_old = d = None
for it in range(6):
    f = 0.5 * x @ A @ x - b @ x
    x.grad = None
    f.backward()
    g = x.grad.detach().clone()
    d = -g if d is None else -g + (g @ (g - g_old)) / (g_old @ g_old) * d
    step = -(g @ d) / (d @ A @ d)
    with torch.no_grad():
        x += step * d
    g_old = g
    print(f.item())
