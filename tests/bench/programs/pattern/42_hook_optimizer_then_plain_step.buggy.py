# pattern: 42
# expect: step-without-gradient | cleared-before-step
"""Optimizer in backward: the hooks step and clear; the old optimizer's step in the loop does nothing."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
per_parameter = {p: torch.optim.SGD([p], lr=0.05) for p in model.parameters()}


def hook(p):
    per_parameter[p].step()
    per_parameter[p].zero_grad()


handles = [p.register_post_accumulate_grad_hook(hook) for p in model.parameters()]
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for it in range(6):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x[:, 0]).pow(2).mean()
    loss.backward()
    optimizer.step()  # BUG
    optimizer.zero_grad()
    print(it, loss.item())
for handle in handles:
    handle.remove()
