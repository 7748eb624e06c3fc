"""float32 master weights of a bfloat16 model that only a closure holds; gradients are handed over."""

import torch


def build():
    model = torch.nn.Linear(3, 1).bfloat16()
    master = [p.detach().clone().float().requires_grad_() for p in model.parameters()]
    return lambda x: model(x), list(model.parameters()), torch.optim.SGD(master, 0.1)


def train():
    net, params, optimizer = build()
    masters = optimizer.param_groups[0]["params"]
    for _ in range(3):
        for p in params:
            p.grad = None
        net(torch.ones(2, 3).bfloat16()).float().sum().backward()
        for mp, p in zip(masters, params):
            mp.grad = p.grad.float()
        optimizer.step()
        for mp, p in zip(masters, params):
            p.data.copy_(mp.data)


train()
