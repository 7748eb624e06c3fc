"""Energy-based model: Langevin steps on pictures by backward, with the model frozen meanwhile."""

import torch
from torch import nn

torch.manual_seed(0)
energy = nn.Sequential(nn.Linear(4, 8), nn.SiLU(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(energy.parameters(), lr=1e-2, betas=(0.0, 0.999))


def generate(inp, steps=4):
    is_training = energy.training
    energy.eval()
    for p in energy.parameters():
        p.requires_grad = False
    inp.requires_grad = True
    for _ in range(steps):
        inp.data.add_(torch.randn_like(inp) * 0.005).clamp_(-1, 1)
        out = -energy(inp)
        out.sum().backward()
        inp.grad.data.clamp_(-0.03, 0.03)
        inp.data.add_(-0.5 * inp.grad.data)
        inp.grad.detach_()
        inp.grad.zero_()
        inp.data.clamp_(-1, 1)
    for p in energy.parameters():
        p.requires_grad = True
    energy.train(is_training)
    return inp.detach()


for it in range(4):
    real = torch.rand(8, 4)
    fake = generate(torch.rand(8, 4) * 2 - 1)
    real_out, fake_out = energy(torch.cat([real, fake])).chunk(2)
    loss = 0.1 * (real_out**2 + fake_out**2).mean() + fake_out.mean() - real_out.mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(energy.parameters(), 0.1)
    optimizer.step()
    print(it, loss.item())
