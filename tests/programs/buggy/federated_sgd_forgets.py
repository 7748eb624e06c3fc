# expect: stale-gradient @ HERE
"""Federated SGD: the clients' gradients are averaged into the server's .grad."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
server = nn.Linear(3, 1)
optimizer = torch.optim.SGD(server.parameters(), lr=0.1)
data = [(torch.randn(6, 3), torch.randn(6, 1)) for _ in range(3)]
for round_ in range(4):
    total = 0.0
    for x, y in data:
        client = copy.deepcopy(server)
        client.zero_grad()
        loss = nn.functional.mse_loss(client(x), y)
        loss.backward()
        total += loss.item()
        for p, q in zip(server.parameters(), client.parameters()):
            if p.grad is None:
                p.grad = torch.zeros_like(p)
            p.grad += q.grad / len(data)
    optimizer.step()  # HERE
    print(round_, total)
