"""DeepSDF: latent codes are an embedding with a learning rate of its own; few rows per batch."""
import torch
from torch import nn

torch.manual_seed(0)
codes = nn.Embedding(10, 3)
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
opt = torch.optim.Adam([{"params": net.parameters(), "lr": 1e-3}, {"params": codes.parameters(), "lr": 1e-2}])
for step in range(6):
    idx = torch.randint(0, 10, (6,))
    xy = torch.rand(6, 2)
    loss = (net(torch.cat([codes(idx), xy], 1)).squeeze() - xy.norm(dim=1)).abs().mean()
    loss = loss + 1e-3 * codes(idx).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
