"""GradNorm-like weighing: norms by autograd.grad first, then one backward of the weighted sum."""
import torch
from torch import nn

torch.manual_seed(0)
shared, heads = nn.Linear(4, 6), nn.ModuleList([nn.Linear(6, 1), nn.Linear(6, 1)])
opt = torch.optim.SGD([*shared.parameters(), *heads.parameters()], lr=0.05)
for step in range(5):
    x = torch.randn(8, 4)
    h = torch.relu(shared(x))
    losses = [(head(h).squeeze() - x[:, i]).pow(2).mean() for i, head in enumerate(heads)]
    norms = [torch.autograd.grad(loss, shared.weight, retain_graph=True)[0].norm() for loss in losses]
    total = sum(loss / (n.detach() + 1e-3) for loss, n in zip(losses, norms))
    opt.zero_grad()
    total.backward()
    opt.step()
    print(total.item())
