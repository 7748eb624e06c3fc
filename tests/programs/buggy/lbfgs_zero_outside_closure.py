# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
X = torch.randn(30, 3)
y = X @ torch.tensor([1.0, -2.0, 0.5])
w = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.LBFGS([w], lr=0.1, max_iter=5)
for i in range(3):
    optimizer.zero_grad()

    def closure():
        loss = ((X @ w - y) ** 2).mean()
        loss.backward()
        return loss

    print(i, optimizer.step(closure).item())  # HERE
