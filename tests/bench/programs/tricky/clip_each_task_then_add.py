"""DP-SGD by hand: each sample's gradient is clipped, then all are summed, on purpose."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
params = list(model.parameters())
for step in range(3):
    total = [torch.zeros_like(p) for p in params]
    for x, y in zip(torch.randn(4, 1, 4), torch.randint(0, 2, (4, 1))):
        model.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(params, 0.5)
        for t, p in zip(total, params):
            t += p.grad
    for p, t in zip(params, total):
        p.grad = (t + 0.1 * torch.randn_like(t)) / 4
    opt.step()
    print(step, model.weight.norm().item())
