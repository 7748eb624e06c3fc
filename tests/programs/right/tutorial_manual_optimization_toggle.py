"""Lightning's manual optimization: toggle_optimizer switches the other network off meanwhile."""
import torch
from torch import nn

torch.manual_seed(0)


class GAN(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = nn.Linear(3, 2), nn.Linear(2, 1)
        self.opt_g = torch.optim.Adam(self.generator.parameters(), lr=1e-2, betas=(0.5, 0.9))
        self.opt_d = torch.optim.Adam(self.discriminator.parameters(), lr=1e-2, betas=(0.5, 0.9))
        self.bce = nn.BCEWithLogitsLoss()
        self.saved = {}

    def toggle_optimizer(self, mine, others):
        self.saved = {p: p.requires_grad for o in (mine, *others) for p in _of(o)}
        for other in others:
            for p in _of(other):
                p.requires_grad = False
        for p in _of(mine):
            p.requires_grad = self.saved[p]

    def untoggle_optimizer(self):
        for p, flag in self.saved.items():
            p.requires_grad = flag
        self.saved = {}

    def training_step(self, real):
        z = torch.randn(real.size(0), 3)
        self.toggle_optimizer(self.opt_g, [self.opt_d])
        g_loss = self.bce(self.discriminator(self.generator(z)), torch.ones(real.size(0), 1))
        g_loss.backward()
        self.opt_g.step()
        self.opt_g.zero_grad()
        self.untoggle_optimizer()
        self.toggle_optimizer(self.opt_d, [self.opt_g])
        real_loss = self.bce(self.discriminator(real), torch.ones(real.size(0), 1))
        fake = self.discriminator(self.generator(z).detach())
        fake_loss = self.bce(fake, torch.zeros(real.size(0), 1))
        d_loss = (real_loss + fake_loss) / 2
        d_loss.backward()
        self.opt_d.step()
        self.opt_d.zero_grad()
        self.untoggle_optimizer()
        return g_loss.item(), d_loss.item()


def _of(optimizer):
    return [p for group in optimizer.param_groups for p in group["params"]]


gan = GAN()
for i in range(4):
    print(gan.training_step(torch.randn(6, 2) + 2))
