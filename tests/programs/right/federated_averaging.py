"""Federated averaging: clients train copies, the server averages their weights."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
server = nn.Linear(3, 1)
data = [(torch.randn(12, 3), torch.randn(12, 1)) for _ in range(3)]


def local_update(weights, x, y):
    client = nn.Linear(3, 1)
    client.load_state_dict(weights)
    optimizer = torch.optim.SGD(client.parameters(), lr=0.05)
    for xb, yb in zip(x.split(4), y.split(4)):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(client(xb), yb)
        loss.backward()
        optimizer.step()
    return client.state_dict(), loss.item()


for round_ in range(2):
    states, losses = zip(*[local_update(server.state_dict(), x, y) for x, y in data])
    average = copy.deepcopy(states[0])
    for key in average:
        average[key] = torch.stack([s[key] for s in states]).mean(0)
    server.load_state_dict(average)
    print(round_, sum(losses) / 3)
