# pattern: 5
"""Linear regression by hand; the gradient is zeroed after it is used."""
import torch

torch.manual_seed(0)
X = torch.randn(20, 3)
y = X @ torch.tensor([1.0, 2.0, 3.0])
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for epoch in range(30):
    loss = ((X @ w + b) - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        for p in (w, b):
            p -= 0.1 * p.grad
    for p in (w, b):
        p.grad.zero_()
print(w, b, loss.item())
