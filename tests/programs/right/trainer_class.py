import torch
import torch.nn.functional as F


class Trainer:
    def __init__(self, model, lr=3e-3):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
        self.history = []

    def training_step(self, batch):
        x, y = batch
        return F.mse_loss(self.model(x), y)

    def run_epoch(self, batches):
        total = 0.0
        for batch in batches:
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.training_step(batch)
            self._backward(loss)
            self.optimizer.step()
            total += loss.item()
        self.history.append(total / len(batches))

    def _backward(self, loss):
        loss.backward()

    def fit(self, batches, epochs):
        for _ in range(epochs):
            self.run_epoch(batches)
        return self


torch.manual_seed(3)
batches = [(torch.randn(8, 5), torch.randn(8, 1)) for _ in range(4)]
model = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
trainer = Trainer(model).fit(batches, 5)
print([round(h, 6) for h in trainer.history])
