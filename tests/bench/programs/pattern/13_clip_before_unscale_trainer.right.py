# pattern: 13
import torch
from torch import nn


class Engine:
    def __init__(self, model, lr, clip):
        self.model, self.clip = model, clip
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr)
        self.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)

    def backward(self, loss):
        self.opt.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()

    def step(self):
        self.scaler.unscale_(self.opt)
        for p in self.model.parameters():
            p.grad.clamp_(-self.clip, self.clip)
        self.scaler.step(self.opt)
        self.scaler.update()


torch.manual_seed(0)
engine = Engine(nn.Conv1d(2, 3, 3), 1e-2, 0.5)
for i in range(5):
    wave = torch.randn(4, 2, 16)
    loss = engine.model(wave).abs().mean()
    engine.backward(loss)
    engine.step()
    print(i, loss.item())
