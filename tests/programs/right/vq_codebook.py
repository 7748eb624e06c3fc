"""VQ-VAE in short: straight-through codes; the codebook has an optimizer of its own."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(6, 2), nn.Linear(2, 6)
codebook = nn.Parameter(torch.randn(5, 2))
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
code_optimizer = torch.optim.SGD([codebook], lr=0.1)
for step in range(5):
    x = torch.randn(8, 6)
    z = encoder(x)
    index = torch.cdist(z, codebook).argmin(1)
    q = codebook[index]
    st = z + (q - z).detach()
    recon = (decoder(st) - x).pow(2).mean()
    code = (q - z.detach()).pow(2).mean()
    commit = (z - q.detach()).pow(2).mean()
    optimizer.zero_grad()
    code_optimizer.zero_grad()
    (recon + code + 0.25 * commit).backward()
    optimizer.step()
    code_optimizer.step()
    print(step, recon.item(), code.item())
