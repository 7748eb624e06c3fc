"""Several seeds of one model: reset_parameters and a new optimizer each time."""
import torch
from torch import nn

model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
for seed in range(3):
    torch.manual_seed(seed)
    for layer in model:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(3):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
    print(seed, loss.item())
