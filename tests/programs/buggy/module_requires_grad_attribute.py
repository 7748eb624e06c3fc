# expect: module-not-frozen @ BUG
"""Transfer learning with the switch that is none."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
model[0].requires_grad = False  # BUG
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for i in range(5):
    x = torch.randn(8, 4)
    loss = nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(i, loss.item())
