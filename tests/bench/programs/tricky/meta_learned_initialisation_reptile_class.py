import torch
from torch import nn


class Reptile:
    def __init__(self, model, meta_lr=0.1):
        self.model, self.meta_lr = model, meta_lr

    def task(self, slope):
        start = {k: v.clone() for k, v in self.model.state_dict().items()}
        opt = torch.optim.SGD(self.model.parameters(), lr=0.05)
        for _ in range(3):
            x = torch.rand(8, 1)
            loss = nn.functional.mse_loss(self.model(x), slope * x)
            opt.zero_grad()
            loss.backward()
            opt.step()
        end = self.model.state_dict()
        self.model.load_state_dict({k: start[k] + self.meta_lr * (end[k] - start[k]) for k in start})
        return loss.item()


torch.manual_seed(0)
meta = Reptile(nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1)))
for slope in (1.0, -2.0, 0.5):
    print(meta.task(slope))
