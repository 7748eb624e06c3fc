# expect: stale-gradient @ HERE
"""S2's loop without w.grad.data.zero_()."""
import torch

x_data, y_data = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
w = torch.tensor([1.0], requires_grad=True)
for epoch in range(5):
    for x, y in zip(x_data, y_data):
        loss = (w * x - y) ** 2
        loss.backward()
        w.data = w.data - 0.01 * w.grad.data  # HERE
    print(epoch, loss.item())
