"""Two backward passes; their gradients are taken away, combined and put back."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
params = list(net.parameters())
for it in range(5):
    x = torch.randn(8, 3)
    out = net(x)
    grads = []
    for k in range(2):
        opt.zero_grad()
        (out[:, k] - x[:, k]).pow(2).mean().backward(retain_graph=True)
        grads.append([p.grad.clone() for p in params])
    for p, g, h in zip(params, *grads):
        dot = (g * h).sum()
        p.grad = g + h if dot >= 0 else g + h - dot / h.pow(2).sum().clamp(min=1e-12) * h
    opt.step()
    print(it, [sum(g.norm() for g in gs).item() for gs in grads])
