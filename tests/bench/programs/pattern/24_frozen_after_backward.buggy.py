# pattern: 24
# expect: frozen-but-updated
"""Frozen between backward and step: the gradient is there already, and the step uses it."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, head = nn.Linear(4, 6), nn.Linear(6, 2)
optimizer = torch.optim.SGD([*encoder.parameters(), *head.parameters()], lr=0.1)
for step in range(6):
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    loss = nn.functional.cross_entropy(head(torch.relu(encoder(x))), y)
    optimizer.zero_grad()
    loss.backward()
    if step == 3:
        for p in encoder.parameters():
            p.requires_grad = False  # BUG
    optimizer.step()  # BUG
    print(step, loss.item(), encoder.weight.sum().item())
