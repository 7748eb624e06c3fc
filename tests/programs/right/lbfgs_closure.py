import torch

torch.manual_seed(0)
X = torch.randn(30, 3)
y = X @ torch.tensor([1.0, -2.0, 0.5]) + 0.1 * torch.randn(30)
w = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.LBFGS([w], lr=0.5, max_iter=8)


def closure():
    optimizer.zero_grad()
    loss = ((X @ w - y) ** 2).mean()
    loss.backward()
    return loss


for i in range(4):
    loss = optimizer.step(closure)
    print(i, loss.item())
