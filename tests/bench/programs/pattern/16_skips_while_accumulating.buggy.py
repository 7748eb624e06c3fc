# pattern: 16
# expect: skipped-steps
"""Four micro-batches per step under a scaler; one sample of each window divides by zero."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(5, 3)
opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
for it in range(6):
    for micro in range(4):
        x = torch.randn(6, 5)
        x[0] = 0 if micro == 2 else x[0]
        unit = x / x.norm(dim=1, keepdim=True)
        loss = nn.functional.cross_entropy(net(unit), (x[:, 0] > 0).long()) / 4
        scaler.scale(loss).backward()
    scaler.step(opt)  # BUG
    scaler.update()
    opt.zero_grad()
    print(it, net.weight.sum().item())
