# expect: stale-gradient @ HERE
import torch

w = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
for i in range(5):
    loss = (w.pow(2) / 2).sum()
    loss.backward()
    for k in range(3):
        w.data[k] -= 0.1 * w.grad[k]  # HERE
    print(loss.item())
