"""The first cell is a smoke test of three steps, all skipped while the scale comes down."""

# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**18)


def step():
    x = torch.randn(16, 4)
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        out = model(x)
    loss = (out.float().squeeze() - x.sum(1)).pow(2).sum()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    return loss.item()


# %%
for i in range(3):
    print(step(), scaler.get_scale())
# %%
for i in range(8):
    print(step(), scaler.get_scale())
