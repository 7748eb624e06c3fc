# pattern: 14
# expect: scaler-order
# raises: RuntimeError
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=512.0)
accumulate = 2
for i in range(6):
    x = torch.randn(8, 4)
    loss = (model(x).squeeze() - x[:, 0]).pow(2).mean() / accumulate
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)  # BUG
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if (i + 1) % accumulate == 0:
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        print(i, loss.item())
