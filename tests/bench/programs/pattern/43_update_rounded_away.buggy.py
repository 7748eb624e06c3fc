# pattern: 43
# expect: unmoved-parameters
"""bfloat16 weights near 100: a step of 1e-3 is rounded away every time."""
import torch
from torch import nn

torch.manual_seed(0)
dtype = torch.bfloat16
scale = nn.Parameter(torch.full((4,), 100.0, dtype=dtype))
optimizer = torch.optim.SGD([scale], lr=1e-3)
for step in range(8):
    x = torch.rand(16, 4).to(dtype)
    loss = ((x * scale).mean(0) / 50).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # BUG
    print(step, loss.item(), scale.sum().item())
