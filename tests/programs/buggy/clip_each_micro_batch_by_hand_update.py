# expect: clip-each-backward @ BUG
"""Accumulation and an update by hand."""
import torch
from torch.nn.utils import clip_grad_norm_

torch.manual_seed(1)
w = torch.randn(4, requires_grad=True)
for i in range(9):
    x = torch.randn(6, 4)
    (x @ w - x.sum(1)).pow(2).mean().backward()
    clip_grad_norm_(w, 0.5)  # BUG
    if i % 3 == 2:
        with torch.no_grad():
            w -= 0.1 * w.grad
            w.grad = None
