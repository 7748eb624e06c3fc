"""The meta step moves the weights towards the task's, without any gradient; cells go on training."""

# %%
import copy

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))


def train_on_task(steps):
    phase = torch.rand(1) * 3
    opt = torch.optim.SGD(model.parameters(), lr=0.02)
    for _ in range(steps):
        x = torch.rand(10, 1) * 6 - 3
        opt.zero_grad()
        (model(x) - torch.sin(x + phase)).pow(2).mean().backward()
        opt.step()


# %%
for iteration in range(4):
    before = copy.deepcopy(model.state_dict())
    train_on_task(3)
    after = model.state_dict()
    eps = 0.5 * (1 - iteration / 4)
    model.load_state_dict({k: before[k] + (after[k] - before[k]) * eps for k in before})
# %%
train_on_task(5)
print(model(torch.zeros(1, 1)))
