"""The actor's loss goes through the critic; the critic zeroes before its own backward."""
import torch
from torch import nn

torch.manual_seed(0)
actor = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Tanh())
q = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
q_target = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
q_target.load_state_dict(q.state_dict())
for p in q_target.parameters():
    p.requires_grad = False
a_opt = torch.optim.Adam(actor.parameters(), lr=1e-2)
q_opt = torch.optim.Adam(q.parameters(), lr=1e-2)
for t in range(6):
    s, a, s2 = torch.randn(10, 2), torch.rand(10, 1) * 2 - 1, torch.randn(10, 2)
    r = -(a - s.sum(1, keepdim=True)).pow(2)
    with torch.no_grad():
        backup = r + 0.9 * q_target(torch.cat([s2, actor(s2)], 1))
    q_opt.zero_grad()
    loss_q = (q(torch.cat([s, a], 1)) - backup).pow(2).mean()
    loss_q.backward()
    q_opt.step()
    a_opt.zero_grad()
    loss_pi = -q(torch.cat([s, actor(s)], 1)).mean()
    loss_pi.backward()
    a_opt.step()
    with torch.no_grad():
        for p, pt in zip(q.parameters(), q_target.parameters()):
            pt.data.mul_(0.95)
            pt.data.add_(0.05 * p.data)
    print(t, loss_q.item(), loss_pi.item())
