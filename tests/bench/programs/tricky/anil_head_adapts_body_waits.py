"""Almost no inner loop: only a copy of the head adapts, by its own optimizer; the body waits."""

import copy

import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 2)
meta = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.05)
for episode in range(4):
    x, y = torch.randn(12, 4), torch.randint(0, 2, (12,))
    learner = copy.deepcopy(head)
    inner = torch.optim.SGD(learner.parameters(), lr=0.1)
    with torch.no_grad():
        features = body(x[:6])
    for _ in range(3):
        inner.zero_grad()
        nn.functional.cross_entropy(learner(features), y[:6]).backward()
        inner.step()
    meta.zero_grad()
    inner.zero_grad()
    loss = nn.functional.cross_entropy(learner(body(x[6:])), y[6:])
    loss.backward()
    for p, q in zip(head.parameters(), learner.parameters()):
        p.grad = q.grad.clone()
    meta.step()
    print(loss.item())
