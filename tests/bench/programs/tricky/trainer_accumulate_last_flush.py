"""A Trainer that flushes the last, smaller window of each epoch."""
import torch
from torch import nn


class Trainer:
    def __init__(self, model, optimizer, accumulate=4, max_norm=1.0):
        self.model, self.optimizer = model, optimizer
        self.accumulate, self.max_norm = accumulate, max_norm

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            for i, (x, y) in enumerate(loader):
                size = min(self.accumulate, len(loader) - i // self.accumulate * self.accumulate)
                loss = nn.functional.cross_entropy(self.model(x), y) / size
                loss.backward()
                if (i + 1) % self.accumulate == 0 or i + 1 == len(loader):
                    nn.utils.clip_grad_norm_(self.model.parameters(), self.max_norm)
                    self.optimizer.step()
                    self.optimizer.zero_grad()
            print(epoch, loss.item())


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
loader = [(torch.randn(4, 4), torch.randint(0, 2, (4,))) for _ in range(6)]
Trainer(model, torch.optim.AdamW(model.parameters(), lr=1e-2)).fit(loader, 3)
