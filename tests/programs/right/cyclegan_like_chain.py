import itertools

import torch
from torch import nn

torch.manual_seed(0)
G_AB, G_BA = nn.Linear(2, 2), nn.Linear(2, 2)
D_A, D_B = nn.Linear(2, 1), nn.Linear(2, 1)
opt_G = torch.optim.Adam(itertools.chain(G_AB.parameters(), G_BA.parameters()), lr=0.01)
opt_D_A = torch.optim.Adam(D_A.parameters(), lr=0.01)
opt_D_B = torch.optim.Adam(D_B.parameters(), lr=0.01)
mse, l1 = nn.MSELoss(), nn.L1Loss()
ones, zeros = torch.ones(8, 1), torch.zeros(8, 1)
for i in range(5):
    A, B = torch.randn(8, 2), torch.randn(8, 2) + 2
    opt_G.zero_grad()
    fake_B, fake_A = G_AB(A), G_BA(B)
    loss_G = mse(D_B(fake_B), ones) + mse(D_A(fake_A), ones) + 10 * (l1(G_BA(fake_B), A) + l1(G_AB(fake_A), B))
    loss_G.backward()
    opt_G.step()
    for D, opt, real, fake in ((D_A, opt_D_A, A, fake_A), (D_B, opt_D_B, B, fake_B)):
        opt.zero_grad()
        loss_D = (mse(D(real), ones) + mse(D(fake.detach()), zeros)) / 2
        loss_D.backward()
        opt.step()
    print(i, loss_G.item(), loss_D.item())
