# pattern: 44
# expect: left-over-from-earlier-cell | stale-gradient | leftover-before-first-step
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
# %%
sample, label = torch.randn(4, 3), torch.randint(0, 2, (4,))
nn.functional.cross_entropy(net(sample), label).backward()
print("gradients flow:", all(p.grad is not None for p in net.parameters()))
# %%
for step in range(4):
    loss = nn.functional.cross_entropy(net(torch.randn(8, 3)), torch.randint(0, 2, (8,)))
    loss.backward()
    opt.step()  # BUG
    opt.zero_grad()
    print(step, loss.item())
