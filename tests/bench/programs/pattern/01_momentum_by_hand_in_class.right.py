# pattern: 1
"""A small optimizer of one's own, with momentum, whose zero_grad nobody calls."""
import torch


class Momentum:
    def __init__(self, params, lr=0.01, beta=0.9):
        self.params, self.lr, self.beta = list(params), lr, beta
        self.velocity = [torch.zeros_like(p) for p in self.params]

    def step(self):
        with torch.no_grad():
            for p, v in zip(self.params, self.velocity):
                v.mul_(self.beta).add_(p.grad)
                p -= self.lr * v

    def zero_grad(self):
        for p in self.params:
            p.grad = None


torch.manual_seed(1)
W1 = torch.randn(2, 8).mul_(0.5).requires_grad_()
b1 = torch.zeros(8, requires_grad=True)
W2 = torch.randn(8, 1).mul_(0.5).requires_grad_()
opt = Momentum([W1, b1, W2])
for it in range(10):
    x = torch.rand(32, 2) * 2 - 1
    target = (x[:, :1] * x[:, 1:]).sign()
    pred = torch.tanh(x @ W1 + b1) @ W2
    loss = ((pred - target) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 3 == 0:
        print(it, loss.item())
