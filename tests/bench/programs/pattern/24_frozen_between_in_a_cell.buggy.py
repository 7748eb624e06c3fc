# pattern: 24
# expect: frozen-but-updated
"""One looks at the gradients, freezes the embedding, and steps."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
emb, clf = nn.Embedding(10, 4), nn.Linear(4, 2)
opt = torch.optim.SGD([*emb.parameters(), *clf.parameters()], lr=0.5)
ids, y = torch.randint(0, 10, (6, 3)), torch.randint(0, 2, (6,))
# %%
loss = nn.functional.cross_entropy(clf(emb(ids).mean(1)), y)
loss.backward()
# %%
emb.weight.requires_grad_(False)  # BUG
opt.step()  # BUG
print(emb.weight.sum().item(), clf.weight.sum().item())
