"""Workers compute gradients on a local copy; the shared model's .grad is the local one's."""
import torch
from torch import nn


def ensure_shared_grads(model, shared_model):
    for param, shared_param in zip(model.parameters(), shared_model.parameters()):
        if shared_param.grad is not None:
            return
        shared_param._grad = param.grad


torch.manual_seed(0)
shared_model = nn.Linear(3, 1)
optimizer = torch.optim.Adam(shared_model.parameters(), lr=0.05)
for worker in range(2):
    model = nn.Linear(3, 1)
    for update in range(4):
        model.load_state_dict(shared_model.state_dict())
        x = torch.randn(6, 3)
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        model.zero_grad()
        optimizer.zero_grad()
        loss.backward()
        ensure_shared_grads(model, shared_model)
        optimizer.step()
        print(worker, update, loss.item())
