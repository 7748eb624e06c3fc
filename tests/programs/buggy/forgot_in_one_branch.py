# expect: stale-gradient @ HERE
"""The scaler's branch zeroes; the bf16 branch does not."""
import torch

torch.manual_seed(0)
use_fp16 = False
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cpu", enabled=use_fp16)
for it in range(6):
    x = torch.randn(8, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(x).float().pow(2).mean()
    if use_fp16:
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    else:
        loss.backward()
        optimizer.step()  # HERE
    print(it, loss.item())
