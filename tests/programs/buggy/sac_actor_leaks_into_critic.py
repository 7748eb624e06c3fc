# expect: leaked-gradient | stale-gradient @ HERE
"""SAC in short: critic, actor and temperature; the actor's loss runs through the critic."""
import torch
from torch import nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
actor = nn.Linear(3, 2)
log_alpha = torch.zeros(1, requires_grad=True)
critic_opt = torch.optim.Adam(critic.parameters(), lr=3e-3)
actor_opt = torch.optim.Adam(actor.parameters(), lr=3e-3)
alpha_opt = torch.optim.Adam([log_alpha], lr=3e-3)


def act(s):
    mean, log_std = actor(s).chunk(2, -1)
    dist = torch.distributions.Normal(mean, log_std.clamp(-5, 1).exp())
    a = dist.rsample()
    return torch.tanh(a), dist.log_prob(a)


for step in range(5):
    s, a, r = torch.randn(8, 3), torch.rand(8, 1) * 2 - 1, torch.randn(8, 1)
    q_loss = (critic(torch.cat([s, a], 1)) - r).pow(2).mean()
    q_loss.backward()
    critic_opt.step()  # HERE
    critic_opt.zero_grad()
    new_a, logp = act(s)
    actor_loss = (log_alpha.exp().detach() * logp - critic(torch.cat([s, new_a], 1))).mean()
    actor_opt.zero_grad()
    actor_loss.backward()
    actor_opt.step()
    alpha_loss = -(log_alpha.exp() * (logp.detach() - 1.0)).mean()
    alpha_opt.zero_grad()
    alpha_loss.backward()
    alpha_opt.step()
    print(step, q_loss.item(), actor_loss.item(), alpha_loss.item())
