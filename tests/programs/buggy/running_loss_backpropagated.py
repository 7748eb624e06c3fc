# expect: growing-graph @ BUG
"""The running total is what backward is called on; Adam, in a function."""
import torch


def fit(w, steps):
    opt = torch.optim.Adam([w], lr=0.05)
    total = 0
    for i in range(steps):
        x = torch.randn(4, 3)
        total = total + (x * w).sum(1).mean()
        opt.zero_grad()
        total.backward(retain_graph=True)  # BUG
        opt.step()
    return total.item()


torch.manual_seed(0)
weight = torch.randn(3, requires_grad=True)
print(fit(weight, 7))
