import torch
from torch import autograd, nn

torch.manual_seed(0)
G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
D = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
optG = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9))
optD = torch.optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.9))


def gradient_penalty(real, fake):
    alpha = torch.rand(real.size(0), 1)
    mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = D(mixed)
    grads = autograd.grad(score, mixed, torch.ones_like(score), create_graph=True, retain_graph=True)[0]
    return ((grads.norm(2, dim=1) - 1) ** 2).mean()


one, mone = torch.tensor(1.0), torch.tensor(-1.0)
for it in range(4):
    for p in D.parameters():
        p.requires_grad = True
    for _ in range(3):
        D.zero_grad()
        real = torch.randn(12, 2) + 2
        D_real = D(real).mean()
        D_real.backward(mone)
        fake = G(torch.randn(12, 2)).detach()
        D_fake = D(fake).mean()
        D_fake.backward(one)
        gp = 10 * gradient_penalty(real, fake)
        gp.backward()
        optD.step()
    for p in D.parameters():
        p.requires_grad = False
    G.zero_grad()
    g = D(G(torch.randn(12, 2))).mean()
    g.backward(mone)
    optG.step()
    print(it, (D_fake - D_real + gp).item(), g.item())
