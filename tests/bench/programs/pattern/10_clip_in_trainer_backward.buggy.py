# pattern: 10
# expect: clip-each-backward
import torch
from torch import nn


class Accelerated:
    def __init__(self, model, accumulate):
        self.model, self.accumulate, self.calls = model, accumulate, 0
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def backward(self, loss):
        (loss / self.accumulate).backward()
        nn.utils.clip_grad_value_(self.model.parameters(), 0.01)  # BUG
        self.calls += 1

    def maybe_step(self):
        if self.calls % self.accumulate == 0:
            self.optimizer.step()
            self.optimizer.zero_grad()


torch.manual_seed(0)
acc = Accelerated(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), 3)
for i in range(9):
    loss = nn.functional.cross_entropy(acc.model(torch.randn(6, 4)), torch.randint(0, 2, (6,)))
    acc.backward(loss)
    acc.maybe_step()
    print(i, loss.item())
