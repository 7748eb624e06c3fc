# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
for i in range(6):
    loss = (w - 1).pow(2).sum()
    loss.backward()
    w.data -= 0.05 * w.grad  # HERE
    w.grad.clone().zero_()
    print(loss.item())
