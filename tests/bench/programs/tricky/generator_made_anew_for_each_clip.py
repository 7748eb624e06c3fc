import itertools

import torch
from torch import nn

torch.manual_seed(0)
enc, dec = nn.Linear(4, 3), nn.Linear(3, 4)
opt = torch.optim.SGD(itertools.chain(enc.parameters(), dec.parameters()), lr=0.1)
for i in range(5):
    x = torch.randn(8, 4)
    loss = (dec(torch.relu(enc(x))) - x).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(itertools.chain(enc.parameters(), dec.parameters()), 0.5)
    opt.step()
    print(loss.item())
