"""A batch with a bad gradient is dropped by clearing; the step that follows has nothing to do."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for i in range(8):
    x = torch.randn(8, 4)
    if i == 4:
        x[2, 1] = float("inf")
    loss = (model(x).squeeze() - 1).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if not torch.isfinite(norm):
        optimizer.zero_grad()
    optimizer.step()
    print(i, loss.item(), norm.item())
