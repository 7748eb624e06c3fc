"""R1 every second round, in a backward and a step of its own, as StyleGAN2 does it."""

import torch
from torch import autograd, nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 4))
D = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
g_optim = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.0, 0.99))
d_optim = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.99))


def requires_grad(model, flag=True):
    for p in model.parameters():
        p.requires_grad = flag


for i in range(6):
    real = torch.randn(8, 4) + 1
    requires_grad(G, False)
    requires_grad(D, True)
    fake_pred, real_pred = D(G(torch.randn(8, 3))), D(real)
    d_loss = nn.functional.softplus(-real_pred).mean() + nn.functional.softplus(fake_pred).mean()
    D.zero_grad()
    d_loss.backward()
    d_optim.step()
    if i % 2 == 0:
        real.requires_grad = True
        real_pred = D(real)
        (grad_real,) = autograd.grad(outputs=real_pred.sum(), inputs=real, create_graph=True)
        r1_loss = grad_real.pow(2).sum(1).mean()
        D.zero_grad()
        (10 / 2 * r1_loss * 2 + 0 * real_pred[0]).backward()
        d_optim.step()
    requires_grad(G, True)
    requires_grad(D, False)
    g_loss = nn.functional.softplus(-D(G(torch.randn(8, 3)))).mean()
    G.zero_grad()
    g_loss.backward()
    g_optim.step()
    print(d_loss.item(), g_loss.item())
