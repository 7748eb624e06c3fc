# expect: stale-gradient @ HERE
"""SAM by hand: the first gradient is still there when the second arrives."""
import torch

torch.manual_seed(1)
net = torch.nn.Linear(4, 1)
base = torch.optim.SGD(net.parameters(), lr=0.05)
x, y = torch.randn(16, 4), torch.randn(16, 1)
for i in range(4):
    base.zero_grad()
    loss = (net(x) - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        eps = [0.05 * p.grad for p in net.parameters()]
        for p, e in zip(net.parameters(), eps):
            p.add_(e)
    (net(x) - y).pow(2).mean().backward()
    with torch.no_grad():
        for p, e in zip(net.parameters(), eps):
            p.sub_(e)
    base.step()  # HERE
    print(loss.item())
