"""Two half batches in two cells, then one step; and so a second time."""

# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
x, y = torch.randn(16, 4), torch.randn(16, 1)


def half(k):
    part = slice(8 * k, 8 * k + 8)
    (nn.functional.mse_loss(net(x[part]), y[part]) / 2).backward()


# %%
half(0)
# %%
half(1)
opt.step()
opt.zero_grad()
# %%
half(0)
# %%
half(1)
opt.step()
opt.zero_grad()
print(nn.functional.mse_loss(net(x), y))
