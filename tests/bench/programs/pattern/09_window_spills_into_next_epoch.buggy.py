# pattern: 9
# expect: none: windows of uneven size are made on purpose too, and nothing is lost
"""The counter starts anew each epoch, the gradient does not: one window of 2 + 3."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
data = [(torch.randn(3, 5), torch.randn(3, 1)) for _ in range(8)]
for epoch in range(3):
    for i, (x, y) in enumerate(data):
        loss = nn.functional.mse_loss(model(x), y) / 3
        loss.backward()
        if (i + 1) % 3 == 0:  # BUG
            optimizer.step()
            optimizer.zero_grad()
    print(epoch, loss.item())
