# pattern: 34
"""Each optimizer clears after its own step, so G's backward is still in D when D steps."""
import torch
from torch import nn


class GAN:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        self.D = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=2e-3, betas=(0.5, 0.999))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=2e-3, betas=(0.5, 0.999))
        self.bce = nn.BCEWithLogitsLoss()

    def discriminator_step(self, real):
        self.opt_d.zero_grad()
        fake = self.G(torch.randn(len(real), 3)).detach()
        loss = self.bce(self.D(real), torch.ones(len(real), 1))
        loss = loss + self.bce(self.D(fake), torch.zeros(len(real), 1))
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def generator_step(self, n):
        self.opt_g.zero_grad()
        loss = self.bce(self.D(self.G(torch.randn(n, 3))), torch.ones(n, 1))
        loss.backward()
        self.opt_g.step()
        return loss.item()


torch.manual_seed(0)
gan = GAN()
for it in range(5):
    real = torch.randn(8, 2) * 0.3 + 1
    print(it, gan.discriminator_step(real), gan.generator_step(8))
