# pattern: 26
# expect: unreached-leaf | unowned-leaf | detached-loss
"""Temperature scaling: float() on the temperature takes it out of the graph."""
import torch
from torch import nn


class Calibrated(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.temperature = nn.Parameter(torch.ones(1) * 1.5)

    def forward(self, x):
        return self.base(x) / float(self.temperature)  # BUG


torch.manual_seed(0)
model = Calibrated(nn.Linear(4, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(5):
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # BUG
    print(step, loss.item(), model.temperature.item())
