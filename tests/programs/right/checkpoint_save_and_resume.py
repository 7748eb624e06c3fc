"""Model and optimizer are saved, made anew, loaded, and trained further."""
import io

import torch


def make():
    model = torch.nn.Linear(3, 1)
    return model, torch.optim.Adam(model.parameters(), lr=0.1)


def train(model, opt, n):
    for _ in range(n):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
    return loss.item()


torch.manual_seed(0)
model, opt = make()
print(train(model, opt, 4))
buffer = io.BytesIO()
torch.save({"model": model.state_dict(), "opt": opt.state_dict()}, buffer)
buffer.seek(0)
model, opt = make()
saved = torch.load(buffer)
del buffer
model.load_state_dict(saved["model"])
opt.load_state_dict(saved["opt"])
print(train(model, opt, 4))
