# pattern: 16
"""A scale far too large: the gradients overflow in fp16 and the scaler skips step after step."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**4)
for step in range(6):
    optimizer.zero_grad()
    x = torch.randn(16, 8)
    with torch.autocast("cpu", dtype=torch.float16):
        out = model(x)
    loss = (out.float().squeeze() - x.sum(1)).pow(2).sum()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    print(step, loss.item())
