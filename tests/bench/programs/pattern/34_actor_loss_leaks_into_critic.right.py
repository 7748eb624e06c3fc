# pattern: 34
"""DDPG: the actor's loss goes through the critic, which is not cleared before its own loss."""
import torch
from torch import nn

torch.manual_seed(0)
actor = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
critic = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
a_opt = torch.optim.Adam(actor.parameters(), lr=1e-3)
c_opt = torch.optim.Adam(critic.parameters(), lr=1e-3)
for step in range(6):
    s, a, r, s2 = torch.randn(8, 3), torch.randn(8, 1), torch.randn(8, 1), torch.randn(8, 3)
    a_opt.zero_grad()
    actor_loss = -critic(torch.cat([s, actor(s)], 1)).mean()
    actor_loss.backward()
    a_opt.step()

    c_opt.zero_grad()
    with torch.no_grad():
        target = r + 0.9 * critic(torch.cat([s2, actor(s2)], 1))
    critic_loss = (critic(torch.cat([s, a], 1)) - target).pow(2).mean()
    critic_loss.backward()
    c_opt.step()
    print(step, actor_loss.item(), critic_loss.item())
