# pattern: 7
# expect: none: a sum over micro-batches is also a legitimate choice, told from a mean only by intent
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(6, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
grad_accum = 4
batches = [(torch.randn(4, 6), torch.randn(4, 1)) for _ in range(12)]
for i, (x, y) in enumerate(batches):
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()  # BUG
    if (i + 1) % grad_accum == 0:
        optimizer.step()
        optimizer.zero_grad()
        print(i, loss.item())
