"""D's backward keeps the graph through G; G's gradients are cleared before its own backward."""
import torch
import torch.nn as nn

torch.manual_seed(5)
G = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
D = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
opt_G = torch.optim.Adam(G.parameters(), lr=1e-3)
opt_D = torch.optim.Adam(D.parameters(), lr=1e-3)
for step in range(10):
    artist = torch.randn(16, 2) * 0.3 + 1
    G_out = G(torch.randn(16, 3))
    p0, p1 = D(artist), D(G_out)
    D_loss = -torch.mean(torch.log(p0) + torch.log(1.0 - p1))
    opt_D.zero_grad()
    D_loss.backward(retain_graph=True)
    opt_D.step()

    G_loss = torch.mean(torch.log(1.0 - D(G_out)))
    opt_G.zero_grad()
    G_loss.backward()
    opt_G.step()
    print(f"{step} {D_loss.item():.4f} {G_loss.item():.4f}")
