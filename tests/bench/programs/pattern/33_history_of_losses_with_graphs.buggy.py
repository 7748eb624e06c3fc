# pattern: 33
# expect: none: every gradient is right, only memory grows
"""Losses are appended with their graphs, and summed for the plot at the end."""
import torch
from torch import nn


class History:
    def __init__(self):
        self.losses = []

    def mean(self):
        return float(sum(self.losses) / len(self.losses))


torch.manual_seed(0)
net, history = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)), History()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(3):
    for _ in range(3):
        loss = nn.functional.cross_entropy(net(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
        opt.zero_grad()
        loss.backward()
        opt.step()
        history.losses.append(loss)  # BUG
    print(epoch, history.mean())
