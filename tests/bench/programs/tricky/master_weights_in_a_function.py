"""float32 master weights beside a bfloat16 model, cast before it has a name, in a function."""

import torch


def train():
    model = torch.nn.Linear(3, 1).bfloat16()
    master = [p.detach().clone().float().requires_grad_() for p in model.parameters()]
    optimizer = torch.optim.SGD(master, 0.1)
    for _ in range(3):
        model.zero_grad()
        model(torch.ones(2, 3).bfloat16()).float().sum().backward()
        for mp, p in zip(master, model.parameters()):
            mp.grad = p.grad.float()
        optimizer.step()
        for mp, p in zip(master, model.parameters()):
            p.data.copy_(mp.data)


train()
