"""GradNorm: task weights get their gradient from autograd.grad, the network from backward."""

import torch
from torch import nn

torch.manual_seed(0)
shared = nn.Linear(4, 6)
heads = [nn.Linear(6, 1), nn.Linear(6, 1)]
weights = torch.ones(2, requires_grad=True)
opt = torch.optim.Adam([*shared.parameters(), *(p for h in heads for p in h.parameters())], lr=1e-2)
opt_w = torch.optim.Adam([weights], lr=2.5e-2)
first = None
for it in range(6):
    x = torch.randn(10, 4)
    z = torch.relu(shared(x))
    losses = torch.stack(
        [(h(z).squeeze() - k * x.sum(1)).pow(2).mean() for k, h in enumerate(heads, 1)]
    )
    first = losses.detach() if first is None else first
    opt.zero_grad()
    (weights * losses).sum().backward(retain_graph=True)
    weights.grad = None
    norms = []
    for w, loss in zip(weights, losses):
        (g,) = torch.autograd.grad(w * loss, shared.weight, retain_graph=True, create_graph=True)
        norms.append(g.norm())
    norms = torch.stack(norms)
    ratio = losses.detach() / first
    target = (norms.mean() * (ratio / ratio.mean()) ** 1.5).detach()
    weights.grad = torch.autograd.grad((norms - target).abs().sum(), weights)[0]
    opt.step()
    opt_w.step()
    with torch.no_grad():
        weights *= 2 / weights.sum()
    print(losses.sum().item(), weights.tolist())
