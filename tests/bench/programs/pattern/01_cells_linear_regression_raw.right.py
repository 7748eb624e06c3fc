# pattern: 1
# %%
import torch

torch.manual_seed(3)
n = 50
x = torch.linspace(0, 1, n).unsqueeze(1)
t = 3 * x + 1 + 0.05 * torch.randn(n, 1)
# %%
w = torch.randn(1, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def forward(x):
    return x @ w + b


# %%
lr = 0.1
for step in range(12):
    loss = ((forward(x) - t) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
print(w.item(), b.item())
