# pattern: 11
# expect: clip-after-step
"""Accumulation in an inner loop; the clipping slipped behind the step, into the logging."""
import torch
from torch import nn


def apply(opt, model, log):
    opt.step()
    log.append(float(nn.utils.clip_grad_norm_(model.parameters(), 1e-3)))  # BUG
    opt.zero_grad()


torch.manual_seed(0)
model, norms = nn.LSTM(3, 4), []
opt = torch.optim.SGD(model.parameters(), lr=0.5)
for it in range(5):
    for micro in range(3):
        out, _ = model(torch.randn(5, 2, 3))
        (out.pow(2).mean() / 3).backward()
    apply(opt, model, norms)
    print(it, norms[-1], model.weight_hh_l0.norm().item())
