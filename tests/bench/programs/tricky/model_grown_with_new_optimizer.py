"""Net2Net: the head is replaced by a wider one, and a new optimizer is made for it."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for width in (4, 6, 8):
    if width > 4:
        old, model[0] = model[0], nn.Linear(4, width)
        with torch.no_grad():
            model[0].weight[: old.out_features] = old.weight
        model[2] = nn.Linear(width, 2)
        opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
        loss.backward()
        opt.step()
    print(width, loss.item())
