"""LoRA: the gradient of A is exactly zero in the first step only."""
import torch
from torch import nn

torch.manual_seed(0)
base = nn.Linear(6, 6).requires_grad_(False)
A = nn.Parameter(torch.randn(2, 6) * 0.1)
B = nn.Parameter(torch.zeros(6, 2))
opt = torch.optim.AdamW([A, B], lr=1e-2)
for i in range(5):
    x = torch.randn(8, 6)
    loss = (base(x) + x @ A.t() @ B.t() - x.flip(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_([A, B], 1.0)
    opt.step()
