"""Three heads with optimizers of their own; the trunk sums all three losses and steps last."""
import torch
from torch import nn

torch.manual_seed(0)
trunk = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
heads = [nn.Linear(8, 1) for _ in range(3)]
opt_trunk = torch.optim.Adam(trunk.parameters(), lr=1e-2)
opt_heads = [torch.optim.Adam(h.parameters(), lr=1e-2) for h in heads]
for it in range(5):
    opt_trunk.zero_grad()
    for k, (head, opt) in enumerate(zip(heads, opt_heads)):
        x = torch.randn(8, 4)
        opt.zero_grad()
        loss = (head(trunk(x)).squeeze() - x[:, k]).pow(2).mean() / 3
        loss.backward()
        opt.step()
    opt_trunk.step()
    print(it, loss.item())
