"""Micro-batches as an inner loop over chunks of one batch."""
import torch
from torch import nn

torch.manual_seed(0)
m = nn.Linear(3, 3)
opt = torch.optim.SGD(m.parameters(), lr=0.1)
for step in range(5):
    big = torch.randn(12, 3)
    opt.zero_grad(set_to_none=True)
    total = 0.0
    for micro in big.chunk(3):
        loss = m(micro).pow(2).sum() / big.numel()
        loss.backward()
        total += loss.item()
    nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    print(step, total)
