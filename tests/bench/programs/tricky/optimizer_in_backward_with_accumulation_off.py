import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optims = {p: torch.optim.Adam([p], lr=1e-2, foreach=False) for p in model.parameters()}


def apply(p):
    optims[p].step()
    optims[p].zero_grad()


hooks = [p.register_post_accumulate_grad_hook(apply) for p in model.parameters()]
for step in range(5):
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    loss.backward()
    print(loss.item())
for h in hooks:
    h.remove()
