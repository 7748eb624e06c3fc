# pattern: 3
import torch
from torch import nn


class Trainer:
    def __init__(self, model, lr, accumulate_grad_batches):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.accumulate = accumulate_grad_batches
        self.history = []

    def on_epoch_start(self):
        self.model.train()

    def training_step(self, batch):
        x, y = batch
        return nn.functional.binary_cross_entropy_with_logits(self.model(x), y) / self.accumulate

    def optimizer_step(self):
        self.optimizer.step()
        self.optimizer.zero_grad()

    def fit(self, loader, epochs):
        for epoch in range(epochs):
            self.on_epoch_start()
            for i, batch in enumerate(loader):
                loss = self.training_step(batch)
                loss.backward()
                if (i + 1) % self.accumulate == 0 or i + 1 == len(loader):
                    self.optimizer_step()
            self.history.append(loss.item())


torch.manual_seed(0)
data = [(torch.randn(4, 3), torch.randint(0, 2, (4, 1)).float()) for _ in range(7)]
trainer = Trainer(nn.Linear(3, 1), 0.05, 3)
trainer.fit(data, 4)
print(trainer.history)
