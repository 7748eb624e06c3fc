"""The step for round i happens at the top of round i + 1: clip, step, clear, then the new backward."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for i in range(7):
    if i:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad()
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    print(loss.item())
nn.utils.clip_grad_norm_(model.parameters(), 1.0)
opt.step()
opt.zero_grad()
