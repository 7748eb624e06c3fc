# pattern: 5
# expect: cleared-before-step
"""Linear regression by hand; the gradient is zeroed before it is used."""
import torch

torch.manual_seed(0)
X = torch.randn(20, 3)
y = X @ torch.tensor([1.0, 2.0, 3.0])
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for epoch in range(30):
    loss = ((X @ w + b) - y).pow(2).mean()
    loss.backward()
    for p in (w, b):
        p.grad.zero_()  # BUG
    with torch.no_grad():
        for p in (w, b):
            p -= 0.1 * p.grad  # BUG
print(w, b, loss.item())
