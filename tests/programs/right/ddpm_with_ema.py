"""Denoising diffusion with an exponential moving average of the weights."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
T = 20
betas = torch.linspace(1e-4, 0.02, T)
alpha_bar = torch.cumprod(1 - betas, 0)
eps_model = nn.Sequential(nn.Linear(3, 16), nn.SiLU(), nn.Linear(16, 2))
ema_model = copy.deepcopy(eps_model)
optimizer = torch.optim.Adam(eps_model.parameters(), lr=2e-3)
for step in range(5):
    x0, t = torch.randn(16, 2) + 2, torch.randint(0, T, (16,))
    noise = torch.randn_like(x0)
    ab = alpha_bar[t][:, None]
    xt = ab.sqrt() * x0 + (1 - ab).sqrt() * noise
    loss = (eps_model(torch.cat([xt, t[:, None] / T], 1)) - noise).pow(2).mean()
    loss.backward()
    nn.utils.clip_grad_norm_(eps_model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    with torch.no_grad():
        for e, p in zip(ema_model.parameters(), eps_model.parameters()):
            e.lerp_(p, 0.05)
    print(step, loss.item())
with torch.no_grad():
    x = torch.randn(4, 2)
    for i in reversed(range(T)):
        eps = ema_model(torch.cat([x, torch.full((4, 1), i / T)], 1))
        x = (x - betas[i] / (1 - alpha_bar[i]).sqrt() * eps) / (1 - betas[i]).sqrt()
    print(x.mean().item())
