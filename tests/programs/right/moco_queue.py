"""MoCo: a momentum encoder and a queue of negatives."""
import copy

import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
encoder_q = nn.Linear(6, 4)
encoder_k = copy.deepcopy(encoder_q).requires_grad_(False)
queue = F.normalize(torch.randn(4, 12), dim=0)
ptr = 0
optimizer = torch.optim.SGD(encoder_q.parameters(), lr=0.03, momentum=0.9)
for step in range(6):
    x = torch.randn(4, 6)
    q = F.normalize(encoder_q(x + 0.1 * torch.randn_like(x)), dim=1)
    with torch.no_grad():
        for pq, pk in zip(encoder_q.parameters(), encoder_k.parameters()):
            pk.data = pk.data * 0.99 + pq.data * 0.01
        k = F.normalize(encoder_k(x), dim=1)
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.clone().detach()], 1) / 0.07
    loss = F.cross_entropy(logits, torch.zeros(4, dtype=torch.long))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    queue[:, ptr : ptr + 4] = k.T
    ptr = (ptr + 4) % 12
    print(step, loss.item())
