# pattern: 40
# expect: missing-gradient
# raises: AttributeError
"""The gradient norm is logged after zero_grad, which sets .grad to None."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(4):
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    norm = sum(p.grad.norm() ** 2 for p in model.parameters()) ** 0.5  # BUG
    print(step, loss.item(), norm.item())
