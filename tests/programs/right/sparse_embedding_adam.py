import torch
from torch import nn

torch.manual_seed(0)
emb = nn.Embedding(20, 4, sparse=True)
fc = nn.Linear(4, 2)
opt_sparse = torch.optim.SparseAdam(list(emb.parameters()), lr=0.05)
opt_dense = torch.optim.Adam(fc.parameters(), lr=0.05)
for i in range(6):
    words = torch.randint(0, 20, (8,))
    loss = nn.functional.cross_entropy(fc(emb(words)), words % 2)
    opt_sparse.zero_grad()
    opt_dense.zero_grad()
    loss.backward()
    opt_sparse.step()
    opt_dense.step()
    print(i, loss.item())
