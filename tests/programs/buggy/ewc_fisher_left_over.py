# expect: leftover-before-first-step | stale-gradient @ HERE
"""Elastic weight consolidation: the Fisher information of the old task first, then the new task."""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
model = nn.Linear(5, 3)
fisher = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
old = {n: p.detach().clone() for n, p in model.named_parameters()}
for _ in range(4):
    model.zero_grad()
    log_prob = F.log_softmax(model(torch.randn(1, 5)), dim=1)
    log_prob[0, log_prob.argmax()].backward()  # HERE
    for n, p in model.named_parameters():
        fisher[n] += p.grad.detach() ** 2 / 4
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(5):
    x, y = torch.randn(8, 5), torch.randint(0, 3, (8,))
    penalty = sum((fisher[n] * (p - old[n]) ** 2).sum() for n, p in model.named_parameters())
    loss = F.cross_entropy(model(x), y) + 10 * penalty
    loss.backward()
    optimizer.step()  # HERE
    optimizer.zero_grad()
    print(step, loss.item())
