"""Embeddings by SparseAdam, the rest by Adam; rows that a batch does not touch stay."""

import torch
from torch import nn

torch.manual_seed(0)
emb = nn.Embedding(20, 5, sparse=True)
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
dense = torch.optim.Adam(net.parameters(), lr=1e-2)
sparse = torch.optim.SparseAdam(emb.parameters(), lr=1e-2)
for step in range(6):
    ids = torch.randint(0, 20, (6,))
    loss = (net(emb(ids)).squeeze() - ids.float() / 20).pow(2).mean()
    for opt in (dense, sparse):
        opt.zero_grad()
    loss.backward()
    for opt in (dense, sparse):
        opt.step()
    print(step, loss.item())
