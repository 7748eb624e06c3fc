"""The first steps of a mixed precision run are skipped until the scale fits: that is how it works."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(6, 1)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**18)
for i in range(10):
    opt.zero_grad()
    x = torch.randn(8, 6)
    with torch.autocast("cpu", dtype=torch.float16):
        out = model(x)
    loss = (out.float().squeeze() - x.sum(1)).pow(2).mean()
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
    print(loss.item(), scaler.get_scale())
