# pattern: 43
# expect: unmoved-parameters
"""Warm-up by integer division: the rate is 0 in every round."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
warmup = 10
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: (k + 1) // warmup)  # BUG
for step in range(8):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # BUG
    scheduler.step()
    print(step, loss.item())
