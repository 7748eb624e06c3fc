"""One helper clamps whatever has a gradient before each step; the other net's is old by then."""

import torch
from torch import nn

torch.manual_seed(0)
policy, value = nn.Linear(3, 2), nn.Linear(3, 1)
opt_p = torch.optim.RMSprop(policy.parameters(), lr=1e-2)
opt_v = torch.optim.RMSprop(value.parameters(), lr=1e-2)


def clamp_all():
    for net in (policy, value):
        for p in net.parameters():
            if p.grad is not None:
                p.grad.data.clamp_(-0.05, 0.05)


for t in range(6):
    s, r = torch.randn(8, 3), torch.randn(8)
    logp = torch.log_softmax(policy(s), 1)[:, 0]
    baseline = value(s).squeeze()
    opt_p.zero_grad()
    opt_v.zero_grad()
    (-(r - baseline.detach()) * logp).mean().backward()
    clamp_all()
    opt_p.step()
    (baseline - r).pow(2).mean().backward()
    clamp_all()
    opt_v.step()
    print(baseline.mean().item())
