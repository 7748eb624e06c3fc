# expect: unowned-leaf @ HERE
import torch

torch.manual_seed(0)
w = torch.randn(3, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.1)  # HERE
for i in range(5):
    x = torch.randn(8, 3)
    loss = (x @ w + b - x.sum(1, keepdim=True) - 1).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()  # HERE
    optimizer.step()  # HERE
    print(i, loss.item())
