# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
w = torch.randn(3, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for i in range(6):
    x = torch.randn(8, 3)
    loss = (x @ w + b - x.sum(1, keepdim=True) - 2).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad  # HERE
    w.grad.zero_()
    print(loss.item())
