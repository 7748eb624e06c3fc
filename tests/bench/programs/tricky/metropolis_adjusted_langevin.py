"""Proposals are made from the gradient; many are rejected, and their gradients dropped."""
import math

import torch

torch.manual_seed(0)


def energy_and_gradient(position):
    position = position.detach().requires_grad_()
    energy = (position**4 / 4 - position**2).sum()
    energy.backward()
    return energy.item(), position.grad


x, step, accepted = torch.zeros(2), 0.8, 0
for i in range(8):
    e, g = energy_and_gradient(x)
    proposal = x - step * g + math.sqrt(2 * step) * torch.randn(2)
    e2, _ = energy_and_gradient(proposal)
    if torch.rand(()) < math.exp(min(0.0, e - e2)):
        x, accepted = proposal, accepted + 1
print(accepted, x)
