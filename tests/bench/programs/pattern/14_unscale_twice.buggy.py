# pattern: 14
# expect: scaler-order
# raises: RuntimeError
"""unscale_ to log the norm, and once more before clipping."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(5, 2)
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=512.0)
for step in range(3):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(8, 5)), torch.randint(0, 2, (8,)))
    scaler.scale(loss).backward()
    scaler.unscale_(opt)
    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
    print(step, loss.item(), norm.item())
    if norm > 0.1:
        scaler.unscale_(opt)  # BUG
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    scaler.step(opt)
    scaler.update()
