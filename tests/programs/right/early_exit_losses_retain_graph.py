"""Deep supervision: every exit's loss goes through one more layer of the same graph."""
import torch
from torch import nn

torch.manual_seed(0)
layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(5))
exits = nn.ModuleList(nn.Linear(4, 1) for _ in range(5))
opt = torch.optim.Adam([*layers.parameters(), *exits.parameters()], lr=1e-2)
for i in range(3):
    h, losses = torch.randn(6, 4), []
    for layer, leave in zip(layers, exits):
        h = layer(h).relu()
        losses.append((leave(h) - 1).pow(2).mean())
    opt.zero_grad()
    for loss in losses:
        loss.backward(retain_graph=True)
    opt.step()
