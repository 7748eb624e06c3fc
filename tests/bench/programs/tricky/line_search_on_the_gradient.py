"""Armijo with a new gradient at every trial point; most trials are rejected."""
import torch

torch.manual_seed(0)
x = torch.tensor([3.0, -2.0], requires_grad=True)


def value_and_grad():
    x.grad = None
    f = (x[0] ** 4 + 2 * x[1] ** 2 + x.prod()) / 4
    f.backward()
    return f.item(), x.grad.clone()


for it in range(4):
    f, g = value_and_grad()
    start, t = x.detach().clone(), 4.0
    while True:
        with torch.no_grad():
            x.copy_(start - t * g)
        new, _ = value_and_grad()
        if new <= f - 0.3 * t * float(g @ g) or t < 1e-4:
            break
        t /= 2
    print(it, new, t)
