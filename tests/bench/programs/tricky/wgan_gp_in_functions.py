import torch
from torch import nn


def penalty(critic, real, fake):
    eps = torch.rand(len(real), 1)
    mix = (eps * real + (1 - eps) * fake).requires_grad_(True)
    grad = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
    return ((grad.norm(dim=1) - 1) ** 2).mean()


torch.manual_seed(0)
critic, gen = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), nn.Linear(2, 2)
c_opt, g_opt = torch.optim.Adam(critic.parameters(), 1e-3), torch.optim.Adam(gen.parameters(), 1e-3)
for it in range(3):
    for _ in range(3):
        real, fake = torch.randn(6, 2) + 2, gen(torch.randn(6, 2)).detach()
        loss = critic(fake).mean() - critic(real).mean() + 10 * penalty(critic, real, fake)
        c_opt.zero_grad()
        loss.backward()
        c_opt.step()
    g_opt.zero_grad()
    (-critic(gen(torch.randn(6, 2))).mean()).backward()
    g_opt.step()
    print(it, loss.item())
