# pattern: 31
# expect: changed-in-place
# raises: RuntimeError
"""The activation that sigmoid has saved for its backward is changed in place."""
import torch
from torch import nn

torch.manual_seed(0)
gate, value = nn.Linear(4, 6), nn.Linear(4, 6)
opt = torch.optim.Adam([*gate.parameters(), *value.parameters()], lr=1e-2)
for step in range(3):
    x = torch.randn(8, 4)
    g = torch.sigmoid(gate(x))
    g += 0.1  # BUG
    loss = (g * value(x)).pow(2).mean()
    opt.zero_grad()
    loss.backward()  # BUG
    opt.step()
    print(step, loss.item())
