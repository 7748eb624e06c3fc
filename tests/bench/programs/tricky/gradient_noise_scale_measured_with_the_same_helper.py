"""Before each step the gradient norms of a few probe batches are measured; only one batch trains."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05)


def backward_on(x):
    opt.zero_grad()
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    return loss.item()


def grad_norm():
    return torch.stack([p.grad.norm() for p in model.parameters()]).norm().item()


for step in range(4):
    norms = []
    for probe in torch.randn(3, 8, 4):
        backward_on(probe)
        norms.append(grad_norm())
    loss = backward_on(torch.randn(8, 4))
    opt.step()
    print(loss, sum(norms) / 3)
