# pattern: 34
# runs: 1 2 3 2 3
"""Fair representation: adversary and encoder are trained in cells of their own, in turn."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
enc, adv = nn.Linear(5, 3), nn.Linear(3, 1)
enc_opt = torch.optim.Adam(enc.parameters(), lr=1e-2)
adv_opt = torch.optim.Adam(adv.parameters(), lr=1e-2)
x, a = torch.randn(16, 5), torch.randint(0, 2, (16, 1)).float()
# %%
for _ in range(2):
    adv_opt.zero_grad()
    adv_loss = nn.functional.binary_cross_entropy_with_logits(adv(enc(x).detach()), a)
    adv_loss.backward()
    adv_opt.step()
# %%
for _ in range(2):
    enc_opt.zero_grad()
    enc_loss = -nn.functional.binary_cross_entropy_with_logits(adv(enc(x)), a)
    enc_loss.backward()
    enc_opt.step()
print(adv_loss.item(), enc_loss.item())
