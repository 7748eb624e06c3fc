"""Deep, with a healthy initialisation: gradients are small, but they arrive."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(*[m for _ in range(8) for m in (nn.Linear(6, 6), nn.Tanh())], nn.Linear(6, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(5):
    loss = nn.functional.cross_entropy(net(torch.randn(16, 6)), torch.randint(0, 2, (16,)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
