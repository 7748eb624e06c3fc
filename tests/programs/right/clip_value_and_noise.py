"""Gradients clipped by value, then noise is added, then a step."""
import torch

torch.manual_seed(0)
net = torch.nn.Linear(5, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for t in range(8):
    x = torch.randn(6, 5)
    loss = torch.nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long())
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(net.parameters(), 0.1)
    for p in net.parameters():
        p.grad += torch.randn_like(p.grad) * (0.01 / (1 + t) ** 0.55)
    opt.step()
    print(t, loss.item())
