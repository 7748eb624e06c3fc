# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
x = torch.linspace(-3, 3, 50)
y = torch.sin(x)
a = torch.randn((), requires_grad=True)
for t in range(8):
    loss = (a * x - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        a -= 1e-4 * a.grad  # HERE
print(a.item())
