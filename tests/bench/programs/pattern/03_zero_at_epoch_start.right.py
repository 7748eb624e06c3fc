# pattern: 3
"""120 batches in windows of 48: what is left of each epoch is thrown away at the next one's start."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.937)
loader = [(torch.randn(2, 6), torch.randn(2, 1)) for _ in range(10)]
accumulate = 4
last_opt_step = -1
nb = len(loader)
optimizer.zero_grad()
for epoch in range(3):
    for i, (x, y) in enumerate(loader):
        ni = i + nb * epoch
        loss = nn.functional.mse_loss(model(x), y) / accumulate
        loss.backward()
        if ni - last_opt_step >= accumulate:
            optimizer.step()
            optimizer.zero_grad()
            last_opt_step = ni
    print(epoch, loss.item())
