# expect: clip-without-gradient @ BUG
"""Zeroing at the end and with zeros, in a Trainer class."""
import torch
from torch.nn.utils import clip_grad_norm_


class Trainer:
    def __init__(self):
        self.model = torch.nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

    def step(self, x, y):
        loss = (self.model(x) - y).abs().mean()
        clip_grad_norm_(self.model.parameters(), max_norm=0.1)  # BUG
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)
        return loss.item()


torch.manual_seed(0)
trainer = Trainer()
for i in range(6):
    x = torch.randn(7, 2)
    print(trainer.step(x, x.sum(1, keepdim=True)))
