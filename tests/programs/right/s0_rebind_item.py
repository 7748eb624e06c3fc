"""Rebinding in today's spelling, through plain Python numbers."""
import torch

x, y = torch.tensor(2.0), torch.tensor(10.0)
w = torch.tensor(-2.0593, requires_grad=True)
lr = 0.1
for step in range(25):
    loss = (w * x - y).pow(2)
    loss.backward()
    new_value = w.item() - lr * w.grad.item()
    w = torch.tensor(new_value, requires_grad=True)
print(round(w.item(), 4))
