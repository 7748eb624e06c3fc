# pattern: 20
# expect: stale-optimizer | unowned-leaf | step-without-gradient | unreached-leaf
"""The optimizer of the outer scope is used for a model made inside the function."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)  # BUG


def run(X, y, epochs=4):
    net = nn.Linear(4, 1)  # BUG
    for _ in range(epochs):
        loss = (net(X) - y).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()  # BUG
    return loss.item()


for fold in range(2):
    print(fold, run(torch.randn(10, 4), torch.randn(10, 1)))
