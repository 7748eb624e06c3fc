import torch

theta = torch.tensor([2.0, -1.0], requires_grad=True)
for step in range(12):
    loss = theta.pow(2).sum() + theta.prod()
    loss.backward()
    theta = (theta - 0.2 * theta.grad).detach().requires_grad_(True)
print(theta)
