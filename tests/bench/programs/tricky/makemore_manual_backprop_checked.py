"""Gradients by hand against autograd's: every intermediate keeps its gradient, leaves are cleared."""

import torch
import torch.nn.functional as F

torch.manual_seed(0)
C = torch.randn(9, 4)
W1, b1 = torch.randn(8, 12) * 0.3, torch.randn(12) * 0.1
W2, b2 = torch.randn(12, 9) * 0.1, torch.zeros(9)
bngain, bnbias = torch.ones(1, 12), torch.zeros(1, 12)
parameters = [C, W1, b1, W2, b2, bngain, bnbias]
for p in parameters:
    p.requires_grad = True


def cmp(s, dt, t):
    print(s, torch.allclose(dt, t.grad, atol=1e-6))


for i in range(3):
    Xb, Yb = torch.randint(0, 9, (16, 2)), torch.randint(0, 9, (16,))
    embcat = C[Xb].view(16, -1)
    hprebn = embcat @ W1 + b1
    bnmean = hprebn.mean(0, keepdim=True)
    bnraw = (hprebn - bnmean) * ((hprebn - bnmean).pow(2).mean(0, keepdim=True) + 1e-5) ** -0.5
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    for p in parameters:
        p.grad = None
    for t in [logits, h, hpreact, bnraw, bnmean, hprebn, embcat]:
        t.retain_grad()
    loss.backward()
    dlogits = F.softmax(logits, 1)
    dlogits[range(16), Yb] -= 1
    dlogits /= 16
    cmp("logits", dlogits, logits)
    cmp("W2", h.T @ dlogits, W2)
    cmp("h", dlogits @ W2.T, h)
    for p in parameters:
        p.data += -0.1 * p.grad
