# expect: stale-gradient @ HERE
"""S3's toggling update, without the zeroing."""
import torch

torch.manual_seed(0)
w = torch.rand(1, 1, requires_grad=True)
for i in range(10):
    x = torch.randn(8, 1) * 20
    loss = (0.5 * (x.mm(w) - 2 * x) ** 2).mean()
    loss.backward()
    w.requires_grad_(False)
    w.sub_(0.0001 * w.grad.data)  # HERE
    w.requires_grad_(True)
print(w.item())
