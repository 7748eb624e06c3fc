# pattern: 45
# expect: nonfinite-gradient | exploding-gradient | exploding-gradients
"""Polynomial regression with unscaled inputs: the loss doubles its exponent each round."""
import torch

torch.manual_seed(0)
x = torch.linspace(-20, 20, 40)
y = 0.5 * x**2 - x
a, b, c = (torch.tensor(0.1, requires_grad=True) for _ in range(3))
lr = 1e-2
for epoch in range(14):
    loss = ((a * x**2 + b * x + c - y) ** 2).mean()
    for p in (a, b, c):
        p.grad = None
    loss.backward()  # BUG
    with torch.no_grad():
        for p in (a, b, c):
            p -= lr * p.grad  # BUG
    print(epoch, loss.item())
