"""A fixed perceptual network in a plain list, so that it is neither trained nor saved."""
# %%
import torch
from torch import nn

torch.manual_seed(0)


class Restorer(nn.Module):
    def __init__(self, critic):
        super().__init__()
        self.net = nn.Conv2d(1, 1, 3, padding=1)
        self.critic = [critic]

    def loss(self, bad, good):
        out = self.net(bad)
        return (self.critic[0](out) - self.critic[0](good)).abs().mean()


model = Restorer(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).eval().requires_grad_(False))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
# %%
for _ in range(4):
    good = torch.rand(2, 1, 6, 6)
    opt.zero_grad()
    loss = model.loss(good + 0.1 * torch.randn_like(good), good)
    loss.backward()
    opt.step()
    print(loss.item())
