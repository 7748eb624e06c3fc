"""The optimizer of a book: a class of five lines around p.data and p.grad."""

import torch
from torch import nn


class BasicOptim:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr

    def step(self, *args, **kwargs):
        for p in self.params:
            p.data -= p.grad.data * self.lr

    def zero_grad(self, *args, **kwargs):
        for p in self.params:
            p.grad = None


torch.manual_seed(0)
model = nn.Linear(6, 1)
opt = BasicOptim(model.parameters(), 0.5)
x = torch.rand(40, 6)
y = (x.sum(1, keepdim=True) > 3).float()
for epoch in range(3):
    for i in range(0, 40, 8):
        pred = model(x[i : i + 8])
        loss = nn.functional.binary_cross_entropy_with_logits(pred, y[i : i + 8])
        loss.backward()
        opt.step()
        opt.zero_grad()
    print(epoch, loss.item())
