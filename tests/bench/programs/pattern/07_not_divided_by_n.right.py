# pattern: 7
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(6, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
grad_accum = 4
batches = [(torch.randn(4, 6), torch.randn(4, 1)) for _ in range(12)]
for i, (x, y) in enumerate(batches):
    loss = nn.functional.mse_loss(model(x), y)
    (loss / grad_accum).backward()
    if (i + 1) % grad_accum == 0:
        optimizer.step()
        optimizer.zero_grad()
        print(i, loss.item())
