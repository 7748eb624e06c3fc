"""Actor, critic and a temperature: the actor's loss reaches the critic, whose gradient is dropped."""

import torch
from torch import nn

torch.manual_seed(0)
actor = nn.Linear(3, 2)
q = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
log_alpha = torch.zeros(1, requires_grad=True)
opts = {
    "q": torch.optim.Adam(q.parameters(), lr=1e-2),
    "pi": torch.optim.Adam(actor.parameters(), lr=1e-2),
    "alpha": torch.optim.Adam([log_alpha], lr=1e-2),
}


def sample(s):
    mean, log_std = actor(s).chunk(2, 1)
    dist = torch.distributions.Normal(mean, log_std.clamp(-2, 1).exp())
    u = dist.rsample()
    return torch.tanh(u), dist.log_prob(u) - torch.log(1 - torch.tanh(u) ** 2 + 1e-6)


for t in range(6):
    s, a, r, s2 = torch.randn(8, 3), torch.rand(8, 1), torch.randn(8, 1), torch.randn(8, 3)
    with torch.no_grad():
        a2, logp2 = sample(s2)
        target = r + 0.9 * (q(torch.cat([s2, a2], 1)) - log_alpha.exp() * logp2)
    opts["q"].zero_grad()
    q_loss = (q(torch.cat([s, a], 1)) - target).pow(2).mean()
    q_loss.backward()
    opts["q"].step()
    opts["pi"].zero_grad()
    new_a, logp = sample(s)
    pi_loss = (log_alpha.exp().detach() * logp - q(torch.cat([s, new_a], 1))).mean()
    pi_loss.backward()
    opts["pi"].step()
    opts["alpha"].zero_grad()
    alpha_loss = -(log_alpha * (logp.detach() - 1.0)).mean()
    alpha_loss.backward()
    opts["alpha"].step()
    print(q_loss.item(), pi_loss.item(), log_alpha.item())
