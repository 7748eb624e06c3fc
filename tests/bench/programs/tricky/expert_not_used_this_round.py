"""Mixture of experts with hard routing: an expert that no token chose has no gradient."""
import torch
from torch import nn

torch.manual_seed(0)
gate, experts = nn.Linear(4, 3), nn.ModuleList([nn.Linear(4, 2) for _ in range(3)])
opt = torch.optim.Adam([*gate.parameters(), *experts.parameters()], lr=1e-2)
for step in range(6):
    x = torch.randn(2, 4)
    p = gate(x).softmax(1)
    top, k = p.max(1)
    out = torch.stack([experts[int(j)](xi) * w for xi, j, w in zip(x, k, top)])
    loss = (out - x[:, :2]).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(k.tolist(), loss.item())
