import torch
from torch import nn

torch.manual_seed(0)
G, D = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 2)), nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
g_opt, d_opt = torch.optim.RMSprop(G.parameters(), 1e-3), torch.optim.RMSprop(D.parameters(), 1e-3)
bce = nn.functional.binary_cross_entropy_with_logits
for it in range(4):
    for _ in range(2):
        d_opt.zero_grad()
        real = torch.randn(6, 2) + 1
        with torch.no_grad():
            fake = G(torch.randn(6, 2))
        d_loss_real = bce(D(real), torch.ones(6, 1))
        d_loss_real.backward()
        d_loss_fake = bce(D(fake), torch.zeros(6, 1))
        d_loss_fake.backward()
        d_opt.step()
    for p in D.parameters():
        p.requires_grad_(False)
    g_opt.zero_grad()
    g_loss = bce(D(G(torch.randn(6, 2))), torch.ones(6, 1))
    g_loss.backward()
    g_opt.step()
    for p in D.parameters():
        p.requires_grad_(True)
    print(it, d_loss_real.item() + d_loss_fake.item(), g_loss.item())
