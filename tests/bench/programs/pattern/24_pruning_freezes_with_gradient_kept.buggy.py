# pattern: 24
# expect: frozen-but-updated | frozen-in-optimizer | reused-gradient | stale-gradient
"""A layer is frozen while it holds a gradient; zero_grad by hand visits only what requires grad."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
for epoch in range(6):
    x = torch.randn(12, 5)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    for p in model.parameters():
        if p.requires_grad:
            p.grad = None
    loss.backward()
    optimizer.step()  # BUG
    if epoch == 2:
        model[0].requires_grad_(False)  # BUG
    print(epoch, loss.item(), model[0].weight.abs().sum().item())
