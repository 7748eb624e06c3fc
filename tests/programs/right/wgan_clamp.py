"""WGAN: five critic steps with weight clamping for each generator step."""
import torch
from torch import nn

torch.manual_seed(0)
gen = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
critic = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
opt_gen = torch.optim.RMSprop(gen.parameters(), lr=5e-3)
opt_critic = torch.optim.RMSprop(critic.parameters(), lr=5e-3)
for it in range(20):
    real = torch.randn(16, 2) * 0.1 + torch.tensor([1.0, -1.0])
    opt_critic.zero_grad()
    fake = gen(torch.randn(16, 2)).detach()
    loss_critic = -critic(real).mean() + critic(fake).mean()
    loss_critic.backward()
    opt_critic.step()
    for p in critic.parameters():
        p.data.clamp_(-0.05, 0.05)
    if it % 5 == 0:
        opt_gen.zero_grad()
        loss_gen = -critic(gen(torch.randn(16, 2))).mean()
        loss_gen.backward()
        opt_gen.step()
        print(it, loss_critic.item(), loss_gen.item())
