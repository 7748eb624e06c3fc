# pattern: 19
# expect: stale-optimizer | unowned-leaf
"""torch.__future__ makes .double() put new parameters into the module; the optimizer keeps the old."""
import torch
from torch import nn

torch.__future__.set_overwrite_module_params_on_conversion(True)
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # BUG
model = model.double()  # BUG
torch.__future__.set_overwrite_module_params_on_conversion(False)
x = torch.randn(16, 3, dtype=torch.float64)
for it in range(5):
    loss = (model(x).squeeze() - x.prod(1)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # BUG
    print(it, loss.item())
