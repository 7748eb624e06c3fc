"""A config field happens to be called requires_grad, and forward obeys it."""
import torch
from torch import nn


class Scale(nn.Module):
    def __init__(self, dim, requires_grad):
        super().__init__()
        self.requires_grad = requires_grad
        self.gain = nn.Parameter(torch.ones(dim), requires_grad=requires_grad)

    def forward(self, x):
        return x * self.gain


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 4), Scale(4, False), nn.ReLU(), Scale(4, True), nn.Linear(4, 2))
opt = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
for i in range(5):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    loss.backward()
    opt.step()
    print(loss.item())
