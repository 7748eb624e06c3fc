# expect: stale-gradient @ HERE
import torch


class Trainer:
    def __init__(self, model, optimizer, loss_fn):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn

    def train_one_batch(self, x, y):
        self.model.train()
        loss = self.loss_fn(self.model(x), y)
        loss.backward()
        self.optimizer.step()  # HERE
        return loss.item()


torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
trainer = Trainer(model, torch.optim.AdamW(model.parameters(), lr=1e-2), torch.nn.MSELoss())
for i in range(5):
    print(trainer.train_one_batch(torch.randn(4, 3), torch.randn(4, 1)))
