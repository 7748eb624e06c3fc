# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
for i in range(6):
    loss = (w + 2).pow(2).sum()
    loss.backward()
    g = w.grad
    with torch.no_grad():
        w.sub_(g, alpha=0.05)  # HERE
    g = None
    print(loss.item())
