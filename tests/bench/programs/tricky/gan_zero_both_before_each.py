"""G's backward fills D's gradients too; both are cleared before each backward."""
import torch
from torch import nn


class Lit(nn.Module):
    def __init__(self):
        super().__init__()
        self.gen, self.disc = nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1))

    def loss(self, which, batch):
        fake = self.gen(torch.randn(len(batch), 3))
        if which == "g":
            return nn.functional.softplus(-self.disc(fake)).mean()
        return nn.functional.softplus(-self.disc(batch)).mean() + nn.functional.softplus(self.disc(fake.detach())).mean()


torch.manual_seed(0)
lit = Lit()
optimizers = {"g": torch.optim.Adam(lit.gen.parameters(), 1e-3), "d": torch.optim.Adam(lit.disc.parameters(), 1e-3)}
for batch in torch.randn(5, 8, 2):
    for which, opt in optimizers.items():
        lit.zero_grad()
        loss = lit.loss(which, batch)
        loss.backward()
        opt.step()
        print(which, loss.item())
