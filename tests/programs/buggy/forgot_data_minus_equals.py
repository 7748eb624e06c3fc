# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
x, y = torch.randn(10, 3), torch.randn(10)
lr = 0.05
for i in range(6):
    loss = ((x @ w - y) ** 2).mean()
    loss.backward()
    w.data -= lr * w.grad  # HERE
    print(loss.item())
