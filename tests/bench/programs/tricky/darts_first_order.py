"""DARTS: architecture and weights step in turn on two losses that reach both."""

import torch
from torch import nn


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.ops = nn.ModuleList(
            [nn.Linear(4, 4), nn.Identity(), nn.Sequential(nn.Linear(4, 4), nn.Tanh())]
        )
        self.out = nn.Linear(4, 2)
        self.alphas = nn.Parameter(1e-3 * torch.randn(3))

    def forward(self, x):
        return self.out(sum(w * op(x) for w, op in zip(self.alphas.softmax(0), self.ops)))

    def weights(self):
        return [p for n, p in self.named_parameters() if n != "alphas"]


torch.manual_seed(0)
model = Mixed()
optimizer = torch.optim.SGD(model.weights(), lr=0.05, momentum=0.9)
architect = torch.optim.Adam([model.alphas], lr=3e-2, betas=(0.5, 0.999))
for step in range(6):
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    xs, ys = torch.randn(8, 4), torch.randint(0, 2, (8,))
    architect.zero_grad()
    nn.functional.cross_entropy(model(xs), ys).backward()
    architect.step()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.weights(), 5)
    optimizer.step()
    print(step, loss.item(), model.alphas.tolist())
