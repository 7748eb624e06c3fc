"""Model, optimizer and scheduler are saved, made anew and loaded; training goes on."""
import io

import torch
from torch import nn


def build():
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    return model, opt, torch.optim.lr_scheduler.StepLR(opt, 2)


def train(model, opt, sched, rounds):
    for _ in range(rounds):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
        sched.step()
    print(loss.item())


torch.manual_seed(0)
first = build()
train(*first, 3)
file = io.BytesIO()
torch.save([part.state_dict() for part in first], file)
file.seek(0)
second = build()
for part, state in zip(second, torch.load(file)):
    part.load_state_dict(state)
train(*second, 3)
del file
