"""At the minimum, steps are smaller than the last digit: nothing moves, and nothing is wrong."""
import torch

w = torch.tensor([3.0, -2.0], requires_grad=True)
opt = torch.optim.SGD([w], lr=0.1)
with torch.no_grad():
    w += 1e-6
for i in range(6):
    opt.zero_grad()
    (1e-3 * (w - torch.tensor([3.0, -2.0])).pow(2)).sum().backward()
    opt.step()
