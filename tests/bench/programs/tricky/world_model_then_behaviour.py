"""Dreamer-like: a model, an actor through the model, a critic; all three cleared at the end."""

import torch
from torch import nn

torch.manual_seed(0)
model, actor, critic = nn.Linear(4, 3), nn.Linear(3, 1), nn.Linear(3, 1)
opt_m, opt_a, opt_c = (torch.optim.Adam(m.parameters(), lr=1e-2) for m in (model, actor, critic))
for it in range(6):
    s, a, s2 = torch.randn(8, 3), torch.randn(8, 1), torch.randn(8, 3)
    m_loss = (model(torch.cat([s, a], 1)) - s2).pow(2).mean()
    m_loss.backward()
    opt_m.step()
    opt_m.zero_grad()
    state, values = s, []
    for _ in range(3):
        state = torch.tanh(model(torch.cat([state, torch.tanh(actor(state))], 1)))
        values.append(critic(state))
    a_loss = -torch.stack(values).mean()
    a_loss.backward()
    opt_a.step()
    for o in (opt_m, opt_a, opt_c):
        o.zero_grad()
    c_loss = (critic(state.detach()).squeeze() - s.sum(1)).pow(2).mean()
    c_loss.backward()
    opt_c.step()
    opt_c.zero_grad()
    print(m_loss.item(), a_loss.item(), c_loss.item())
