# pattern: 2
"""The zeroing slipped under the `if` that prints."""
import torch
from torch import nn


class Loop:
    def __init__(self, model, log_every=3):
        self.model, self.log_every = model, log_every
        self.optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
        self.step = 0

    def __call__(self, x, y):
        self.step += 1
        loss = nn.functional.huber_loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        if self.step % self.log_every == 0:
            print(self.step, loss.item())
        self.optimizer.zero_grad()


torch.manual_seed(0)
loop = Loop(nn.Sequential(nn.Linear(3, 6), nn.ELU(), nn.Linear(6, 1)))
for _ in range(9):
    loop(torch.randn(8, 3), torch.randn(8, 1))
