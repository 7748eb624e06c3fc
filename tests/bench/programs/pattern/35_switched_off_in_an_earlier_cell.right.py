# pattern: 35
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 2)
x, y = torch.randn(6, 3), torch.randint(0, 2, (6,))
# %%
with torch.autograd.set_grad_enabled(False):
    print("before training", (net(x).argmax(1) == y).float().mean())
# %%
opt = torch.optim.Adam(net.parameters())
for _ in range(3):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    opt.step()
print(loss.item())
