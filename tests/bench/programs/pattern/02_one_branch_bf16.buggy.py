# pattern: 2
# expect: stale-gradient
"""Mixed precision or not: the bf16 branch forgets what the other one does."""
import torch
from torch import nn


class Args:
    bfloat_enable = True
    lr = 1e-3
    steps = 6


args = Args()
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.SiLU(), nn.Linear(16, 8))
opt = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0)
scaler = torch.amp.GradScaler("cpu", enabled=False)
for step in range(args.steps):
    x = torch.randn(4, 8)
    noise = torch.randn_like(x)
    with torch.autocast("cpu", enabled=args.bfloat_enable, dtype=torch.bfloat16):
        loss = (model(x + noise) - noise).pow(2).mean()
    if not args.bfloat_enable:
        opt.zero_grad()
        loss.backward()
        opt.step()
    else:
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        scaler.step(opt)  # BUG
        scaler.update()
    print(step, loss.item())
