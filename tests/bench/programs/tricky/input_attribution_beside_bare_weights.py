"""Weights are bare leaves in an optimizer; the input requires grad, for a look at the end."""

import torch

torch.manual_seed(0)
X = torch.randn(10, 3, requires_grad=True)
y = X.detach() @ torch.tensor([1.0, 0.0, -2.0])
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.1)
for epoch in range(5):
    loss = (X @ w + b - y).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(epoch, loss.item())
print("which features matter", X.grad.abs().mean(0))
