"""clip_grad_norm_ with an infinite limit after every micro-batch only measures."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for i in range(8):
    (net(torch.randn(6, 4)) - 1).pow(2).mean().div(4).backward()
    print(float(nn.utils.clip_grad_norm_(net.parameters(), float("inf"))))
    if i % 4 == 3:
        nn.utils.clip_grad_norm_(net.parameters(), 0.1)
        opt.step()
        opt.zero_grad()
