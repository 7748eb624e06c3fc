"""nanoGPT-lecture style makemore: p.grad = None for all, backward, p.data += -lr * p.grad."""
import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(2147483647)
C = torch.randn((10, 2), generator=g)
W1 = torch.randn((6, 12), generator=g)
b1 = torch.randn(12, generator=g)
W2 = torch.randn((12, 10), generator=g)
b2 = torch.randn(10, generator=g)
parameters = [C, W1, b1, W2, b2]
for p in parameters:
    p.requires_grad = True
X = torch.randint(0, 10, (30, 3), generator=g)
Y = torch.randint(0, 10, (30,), generator=g)
lossi = []
for i in range(12):
    ix = torch.randint(0, X.shape[0], (8,), generator=g)
    emb = C[X[ix]]
    h = torch.tanh(emb.view(-1, 6) @ W1 + b1)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Y[ix])
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 8 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.log10().item())
print(lossi)
