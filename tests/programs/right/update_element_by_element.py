"""One consumption in many writes."""
import torch

w = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
for i in range(5):
    (w.pow(2) / 2).sum().backward()
    for k in range(3):
        w.data[k] -= 0.3 * w.grad[k]
    w.grad.zero_()
print(w)
