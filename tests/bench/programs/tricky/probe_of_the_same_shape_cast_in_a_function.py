"""A second network of the same shape, cast before it has a name, is only looked at."""

import torch


def train(device="cpu"):
    model = torch.nn.Linear(3, 1).to(device)
    probe = torch.nn.Linear(3, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        probe.load_state_dict(model.state_dict())
        probe.zero_grad()
        probe(torch.ones(2, 3)).sum().backward()
        print(probe.weight.grad.norm().item())
        optimizer.zero_grad()
        model(torch.ones(2, 3)).sum().backward()
        optimizer.step()


train()
