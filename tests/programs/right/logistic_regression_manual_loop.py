import torch

torch.manual_seed(0)
X = torch.randn(50, 2)
Y = (X @ torch.tensor([2.0, -1.0]) > 0).float()
w = torch.zeros(2, requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def step_gd(lr):
    global w, b
    for name in ("w", "b"):
        p = globals()[name]
        p.data = p.data - lr * p.grad
        p.grad = None


for epoch in range(15):
    p = torch.sigmoid(X @ w + b)
    loss = -(Y * torch.log(p + 1e-7) + (1 - Y) * torch.log(1 - p + 1e-7)).mean()
    loss.backward()
    step_gd(0.5)
print(loss.item(), w, b)
