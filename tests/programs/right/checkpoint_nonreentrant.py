import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

torch.manual_seed(0)
body = nn.Sequential(*[nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(4)])
head = nn.Linear(6, 2)
opt = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=1e-2)
for i in range(5):
    x = torch.randn(8, 6)
    h = checkpoint_sequential(body, 2, x, use_reentrant=False)
    loss = checkpoint(lambda t: head(t).square().mean(), h, use_reentrant=False)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
