# pattern: 40
# expect: missing-gradient
# raises: AttributeError
"""The gradients are plotted in the next cell, after the loop has cleared them."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
# %%
for _ in range(4):
    loss = (model(torch.randn(8, 3)) - 1).pow(2).mean()
    loss.backward()
    opt.step()
    opt.zero_grad()
# %%
for name, p in model.named_parameters():
    print(name, p.grad.abs().max().item())  # BUG
