"""y = 2x + 3 with gradients computed on paper: no autograd."""
import torch

torch.manual_seed(0)


def batch(size=8):
    x = torch.randn(size, 1) * 20
    return x, x * 2 + 3 + torch.randn(size, 1)


w, b = torch.rand(1, 1), torch.zeros(1, 1)
lr = 0.001
for i in range(200):
    x, y = batch()
    error = x.mm(w) + b.expand_as(y) - y
    dw = x.t().mm(error) / 8
    db = error.sum()
    w.sub_(lr * dw)
    b.sub_(lr * db)
print(w.item(), b.item())
