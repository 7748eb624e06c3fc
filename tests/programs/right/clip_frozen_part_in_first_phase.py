"""One helper clips body and head; the body is frozen, and has no gradient, at first."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
opt = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=1e-2)
body.requires_grad_(False)
for epoch in range(6):
    if epoch == 3:
        body.requires_grad_(True)
    x = torch.randn(8, 4)
    opt.zero_grad()
    (head(body(x).relu()) - 1).pow(2).mean().backward()
    nn.utils.clip_grad_norm_(body.parameters(), 1.0)
    nn.utils.clip_grad_norm_(head.parameters(), 1.0)
    opt.step()
