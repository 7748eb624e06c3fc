"""Tensor hooks that change what arrives: mask one row, halve the rest."""
import torch

torch.manual_seed(0)
emb = torch.nn.Embedding(6, 3)
lin = torch.nn.Linear(3, 1)
mask = torch.ones(6, 1)
mask[0] = 0
emb.weight.register_hook(lambda g: g * mask)
lin.weight.register_hook(lambda g: g * 0.5)
opt = torch.optim.SGD([*emb.parameters(), *lin.parameters()], lr=0.3)
for i in range(6):
    idx = torch.randint(0, 6, (10,))
    loss = (lin(emb(idx)).squeeze() - idx.float()).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(emb.weight[0], loss.item())
