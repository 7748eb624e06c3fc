"""torch.autograd.grad: no .grad anywhere."""
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
x = torch.randn(20, 3)
y = x.sum(1) + 1
for i in range(10):
    loss = (x @ w + b - y).pow(2).mean()
    gw, gb = torch.autograd.grad(loss, [w, b])
    with torch.no_grad():
        w -= 0.1 * gw
        b -= 0.1 * gb
print(w, b, w.grad)
