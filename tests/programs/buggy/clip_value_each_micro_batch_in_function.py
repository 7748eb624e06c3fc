# expect: clip-each-backward @ BUG
"""Clipping by value hidden in a function that handles one micro-batch; plain SGD."""
import torch

torch.manual_seed(0)
w = torch.randn(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.1)


def micro_batch(x, y):
    loss = ((x @ w + b - y) ** 2).mean() / 3
    loss.backward()
    torch.nn.utils.clip_grad_value_([w, b], 0.1)  # BUG
    return loss.item()


for round in range(4):
    opt.zero_grad()
    x = torch.randn(9, 3)
    y = x.sum(1) + 2
    print([micro_batch(x[i : i + 3], y[i : i + 3]) for i in (0, 3, 6)])
    opt.step()
