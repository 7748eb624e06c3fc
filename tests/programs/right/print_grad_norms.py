"""Reading gradients for a log changes nothing."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
history = {name: [] for name, _ in model.named_parameters()}
for i in range(5):
    opt.zero_grad()
    loss = model(torch.randn(5, 4)).pow(2).mean()
    loss.backward()
    total = sum(p.grad.data.norm(2).item() ** 2 for p in model.parameters()) ** 0.5
    for name, p in model.named_parameters():
        history[name].append(p.grad.abs().mean().item())
    opt.step()
    print(i, total)
