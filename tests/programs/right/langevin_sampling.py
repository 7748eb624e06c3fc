"""Stochastic gradient Langevin dynamics: the update is gradient plus noise."""
import torch

torch.manual_seed(0)
x = torch.zeros(2, requires_grad=True)
samples = []
for t in range(20):
    energy = 0.5 * ((x - torch.tensor([1.0, -1.0])) ** 2).sum()
    energy.backward()
    with torch.no_grad():
        x -= 0.05 * x.grad
        x += (2 * 0.05) ** 0.5 * torch.randn(2)
    x.grad.zero_()
    samples.append(x.detach().clone())
print(torch.stack(samples).mean(0))
