"""Encoder in the critic's optimizer; the actor uses detached features, its loss goes through the critic."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, critic, actor = nn.Linear(6, 4), nn.Linear(5, 1), nn.Linear(4, 1)
critic_opt = torch.optim.Adam([*encoder.parameters(), *critic.parameters()], lr=1e-2)
actor_opt = torch.optim.Adam(actor.parameters(), lr=1e-2)
for it in range(6):
    obs, act, rew = torch.randn(8, 6), torch.randn(8, 1), torch.randn(8, 1)
    critic_opt.zero_grad()
    (critic(torch.cat([torch.relu(encoder(obs)), act], 1)) - rew).pow(2).mean().backward()
    critic_opt.step()
    z = torch.relu(encoder(obs)).detach()
    actor_opt.zero_grad()
    loss = -critic(torch.cat([z, torch.tanh(actor(z))], 1)).mean()
    loss.backward()
    actor_opt.step()
    print(it, loss.item())
