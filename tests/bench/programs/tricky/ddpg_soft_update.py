import copy

import torch
from torch import nn

torch.manual_seed(0)
actor, critic = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1)), nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
actor_t, critic_t = copy.deepcopy(actor), copy.deepcopy(critic)
a_opt, c_opt = torch.optim.Adam(actor.parameters(), 1e-3), torch.optim.Adam(critic.parameters(), 1e-3)
for step in range(4):
    s, a, r, s2 = torch.randn(8, 3), torch.randn(8, 1), torch.randn(8, 1), torch.randn(8, 3)
    q = critic(torch.cat([s, a], 1))
    with torch.no_grad():
        y = r + 0.99 * critic_t(torch.cat([s2, actor_t(s2)], 1))
    c_loss = nn.functional.mse_loss(q, y)
    c_opt.zero_grad()
    c_loss.backward()
    c_opt.step()
    a_loss = -critic(torch.cat([s, actor(s)], 1)).mean()
    a_opt.zero_grad()
    a_loss.backward()
    a_opt.step()
    for net, target in ((actor, actor_t), (critic, critic_t)):
        for p, t in zip(net.parameters(), target.parameters()):
            t.data.copy_(0.99 * t.data + 0.01 * p.data)
    print(c_loss.item(), a_loss.item())
