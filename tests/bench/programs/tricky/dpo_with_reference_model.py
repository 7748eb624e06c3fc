"""Preference tuning: the reference is a frozen copy; chosen and rejected go through one graph."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
policy = nn.Sequential(nn.Embedding(9, 6), nn.Linear(6, 9))
reference = copy.deepcopy(policy).eval().requires_grad_(False)
optimizer = torch.optim.RMSprop(policy.parameters(), lr=1e-2)


def logp(model, ids):
    return F.log_softmax(model(ids[:, :-1]), -1).gather(2, ids[:, 1:, None]).sum((1, 2))


for step in range(6):
    chosen, rejected = torch.randint(0, 9, (4, 5)), torch.randint(0, 9, (4, 5))
    with torch.no_grad():
        base = logp(reference, chosen) - logp(reference, rejected)
    margin = logp(policy, chosen) - logp(policy, rejected) - base
    loss = -F.logsigmoid(0.1 * margin).mean() / 2
    loss.backward()
    if step % 2:
        nn.utils.clip_grad_norm_(policy.parameters(), 10.0)
        optimizer.step()
        optimizer.zero_grad()
    print(loss.item())
