# pattern: 45
"""A deep recurrence with a large recurrent matrix: gradients of 1e10 and more."""
import torch
from torch import nn

torch.manual_seed(0)
W = nn.Parameter(torch.randn(6, 6) * 1.5)
V = nn.Parameter(torch.randn(1, 6))
optimizer = torch.optim.SGD([W, V], lr=1e-3)
for step in range(4):
    h = torch.randn(4, 6)
    for t in range(30):
        h = torch.tanh(h @ W)
    loss = (h @ V.T - 1).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([W, V], 1.0)
    optimizer.step()
    print(step, loss.item())
