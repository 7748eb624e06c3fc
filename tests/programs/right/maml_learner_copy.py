"""First-order MAML: a learner is copied for every task, its gradients are brought back."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
maml = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
meta = torch.optim.Adam(maml.parameters(), lr=1e-2)
for it in range(3):
    meta.zero_grad()
    for task in range(2):
        learner = copy.deepcopy(maml)
        learner.zero_grad()
        inner = torch.optim.SGD(learner.parameters(), lr=0.05)
        phase = torch.rand(1) * 3
        x = torch.rand(8, 1) * 4 - 2
        for step in range(3):
            loss = (learner(x) - torch.sin(x + phase)).pow(2).mean()
            inner.zero_grad()
            loss.backward()
            inner.step()
        learner.zero_grad()
        x = torch.rand(8, 1) * 4 - 2
        loss = (learner(x) - torch.sin(x + phase)).pow(2).mean()
        loss.backward()
        for p, q in zip(maml.parameters(), learner.parameters()):
            p.grad = q.grad.clone() if p.grad is None else p.grad + q.grad
    for p in maml.parameters():
        p.grad /= 2
    meta.step()
    print(it, loss.item())
