"""An own function and an own loss with SGD."""
import torch


def f(x, a, b):
    return a * x + b


def distance(p, t):
    return torch.abs(p - t).pow(2).sum()


a = torch.tensor([1.0], requires_grad=True)
b = torch.tensor([0.0], requires_grad=True)
opt = torch.optim.SGD([a, b], lr=0.05)
for i in range(15):
    loss = distance(f(torch.tensor([1.0, 2.0]), a, b), torch.tensor([5.0, 8.0]))
    loss.backward()
    opt.step()
    opt.zero_grad()
    print(f"{i}: {loss.item():.5f} a={a.item():.4f} b={b.item():.4f}")
