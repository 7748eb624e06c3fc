"""The gradient itself is the momentum buffer: p.grad.mul_(0.9) instead of zeroing, on purpose."""
import torch

torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
for i in range(6):
    x = torch.randn(8, 3)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    for p in net.parameters():
        if p.grad is not None:
            p.grad.mul_(0.9)
    loss.backward()
    with torch.no_grad():
        for p in net.parameters():
            p -= 0.02 * p.grad
    print(i, loss.item())
