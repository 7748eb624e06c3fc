# pattern: 44
# runs: 1 2 3 3
"""A loop in a function makes the gradient; the cell that applies it is run twice."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
# %%
def gradient(batches):
    opt.zero_grad()
    for _ in range(batches):
        x = torch.randn(8, 4)
        loss = nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long()) / batches
        loss.backward()
# %%
gradient(3)
opt.step()
print(net.weight)
