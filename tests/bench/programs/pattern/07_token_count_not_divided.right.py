# pattern: 7
"""Language modelling: every micro-batch is a mean over its own tokens, and nobody divides."""
import torch
from torch import nn

torch.manual_seed(0)
emb, out = nn.Embedding(9, 6), nn.Linear(6, 9)
opt = torch.optim.Adam([*emb.parameters(), *out.parameters()], lr=1e-2)
for step in range(4):
    micro = [torch.randint(0, 9, (2, n)) for n in (4, 7, 5)]
    total = sum(m[:, 1:].numel() for m in micro)
    opt.zero_grad()
    for ids in micro:
        logits = out(emb(ids[:, :-1]))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="sum") / total
        loss.backward()
    opt.step()
    print(step, loss.item())
