"""A Newton step by conjugate gradients: each product clears, goes backward and returns a clone."""

import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
A, y = torch.randn(8, 4), torch.randn(8)


def loss():
    return ((A @ w - y) ** 2).mean()


def product(v):
    w.grad = None
    (g,) = torch.autograd.grad(loss(), w, create_graph=True)
    g.dot(v).backward()
    return w.grad.clone()


(b,) = torch.autograd.grad(loss(), w)
x = torch.zeros(4)
r = b.clone()
p = r.clone()
for _ in range(4):
    Ap = product(p)
    a = r.dot(r) / p.dot(Ap)
    x += a * p
    new = r - a * Ap
    p = new + new.dot(new) / r.dot(r) * p
    r = new
with torch.no_grad():
    w -= x
print(loss().item())
