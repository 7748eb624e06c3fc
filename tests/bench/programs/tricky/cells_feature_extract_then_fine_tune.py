"""First the head, then everything with a smaller rate: two optimizers, one after the other."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(6, 8), nn.ReLU()), nn.Linear(8, 3)
for p in body.parameters():
    p.requires_grad_(False)


def epoch(opt):
    for _ in range(3):
        x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
        opt.zero_grad()
        loss = nn.functional.cross_entropy(head(body(x)), y)
        loss.backward()
        opt.step()
    print(loss.item())


# %%
epoch(torch.optim.Adam(head.parameters(), lr=1e-2))
# %%
for p in body.parameters():
    p.requires_grad_(True)
epoch(torch.optim.Adam([{"params": body.parameters(), "lr": 1e-4}, {"params": head.parameters()}], lr=1e-3))
