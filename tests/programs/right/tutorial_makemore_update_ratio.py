"""makemore, part 3: an MLP by hand that logs the ratio of update to data."""
import torch
from torch.nn import functional as F

g = torch.Generator().manual_seed(0)
C = torch.randn((9, 2), generator=g)
W1 = torch.randn((6, 12), generator=g) * (5 / 3) / 6**0.5
bngain, bnbias = torch.ones((1, 12)), torch.zeros((1, 12))
W2 = torch.randn((12, 9), generator=g) * 0.01
b2 = torch.zeros(9)
parameters = [C, W1, bngain, bnbias, W2, b2]
for p in parameters:
    p.requires_grad = True
X, Y = torch.randint(0, 9, (40, 3), generator=g), torch.randint(0, 9, (40,), generator=g)
ud, lossi = [], []
for i in range(12):
    ix = torch.randint(0, 40, (16,), generator=g)
    hpreact = C[X[ix]].view(16, -1) @ W1
    hpreact = bngain * (hpreact - hpreact.mean(0, keepdim=True)) / hpreact.std(0, keepdim=True)
    logits = torch.tanh(hpreact + bnbias) @ W2 + b2
    loss = F.cross_entropy(logits, Y[ix])
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 8 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.log10().item())
    with torch.no_grad():
        ud.append([((lr * p.grad).std() / p.data.std()).log10().item() for p in parameters[:2]])
print(lossi[-1])
