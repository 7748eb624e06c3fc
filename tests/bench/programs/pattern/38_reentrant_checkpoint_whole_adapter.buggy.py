# pattern: 38
# expect: unreached-leaf | detached-loss | step-without-gradient
# raises: RuntimeError
"""Everything that is trained lies inside the checkpoint; its input is frozen."""
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
frozen = nn.Linear(4, 6).requires_grad_(False)
adapter = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 2))
opt = torch.optim.AdamW(adapter.parameters(), lr=1e-2)
for step in range(3):
    h = frozen(torch.randn(8, 4))
    logits = checkpoint(adapter, h, use_reentrant=True)  # BUG
    loss = nn.functional.cross_entropy(logits, torch.randint(0, 2, (8,)))
    opt.zero_grad()
    loss.backward()  # BUG
    opt.step()
    print(step, loss.item())
