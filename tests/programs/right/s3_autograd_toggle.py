"""The same with autograd; requires_grad off for the update, and on again."""
import torch

torch.manual_seed(0)
lr = 0.001
w = torch.rand(1, 1, requires_grad=True)
b = torch.zeros(1, 1, requires_grad=True)
for i in range(150):
    x = torch.randn(8, 1) * 20
    y = x * 2 + 3
    y_pred = x.mm(w) + b.expand_as(y)
    loss = (0.5 * (y_pred - y) ** 2).mean()
    loss.backward()
    w.requires_grad_(False)
    b.requires_grad_(False)
    w.sub_(lr * w.grad.data)
    b.sub_(lr * b.grad.data)
    w.requires_grad_(True)
    b.requires_grad_(True)
    w.grad.data.zero_()
    b.grad.data.zero_()
    if loss.item() < 1e-3:
        break
print(i, w.item(), b.item())
