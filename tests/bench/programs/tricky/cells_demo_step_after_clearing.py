"""What a step does without a gradient: momentum only. Then training goes on."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
x, y = torch.randn(9, 3), torch.randn(9, 1)
# %%
for _ in range(3):
    loss = (net(x) - y).pow(2).mean()
    opt.zero_grad(set_to_none=False)
    loss.backward()
    opt.step()
# %%
for _ in range(3):
    opt.zero_grad(set_to_none=False)
    loss = (net(x) - y).pow(2).mean()
    loss.backward()
    opt.step()
print(loss.item())
