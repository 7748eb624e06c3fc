# pattern: 16
# expect: skipped-steps
"""A fused optimizer looks at the flag itself: step() is called each time, and does nothing."""
import torch
from torch import nn


class Trainer:
    def __init__(self, model):
        self.model = model
        self.opt = torch.optim.Adam(model.parameters(), lr=1e-2, fused=True)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    def step(self, x):
        loss = torch.sqrt(self.model(x)).mean()
        self.opt.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.opt)  # BUG
        self.scaler.update()
        return loss.item()


torch.manual_seed(0)
trainer = Trainer(nn.Linear(4, 6))
for _ in range(7):
    print(trainer.step(torch.randn(16, 4)), trainer.model.weight.sum().item())
