"""Two backward passes from two losses, one step: both are meant."""
import torch
from torch import nn

torch.manual_seed(0)
enc, dec, cls = nn.Linear(6, 3), nn.Linear(3, 6), nn.Linear(3, 2)
opt = torch.optim.Adam([*enc.parameters(), *dec.parameters(), *cls.parameters()], lr=0.02)
for i in range(6):
    x = torch.randn(10, 6)
    code = torch.tanh(enc(x))
    opt.zero_grad()
    rec_loss = (dec(code) - x).pow(2).mean()
    rec_loss.backward(retain_graph=True)
    cls_loss = nn.functional.cross_entropy(cls(code), (x[:, 0] > 0).long())
    cls_loss.backward()
    opt.step()
    print(rec_loss.item(), cls_loss.item())
