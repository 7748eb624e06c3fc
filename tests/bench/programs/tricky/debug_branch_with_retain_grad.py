"""Activations are looked at only when debugging, and then with retain_grad."""
import torch
from torch import nn

DEBUG = False
torch.manual_seed(0)
stem, head = nn.Linear(4, 6), nn.Linear(6, 2)
opt = torch.optim.SGD([*stem.parameters(), *head.parameters()], lr=0.1)
for i in range(4):
    h = torch.relu(stem(torch.randn(8, 4)))
    if DEBUG:
        h.retain_grad()
    loss = nn.functional.cross_entropy(head(h), torch.randint(0, 2, (8,)))
    opt.zero_grad()
    loss.backward()
    if DEBUG:
        print("activation gradient", h.grad.norm())
    opt.step()
    print(loss.item())
