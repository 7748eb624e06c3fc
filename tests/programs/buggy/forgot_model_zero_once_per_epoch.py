# expect: stale-gradient @ HERE
"""What is torch.nn really? The same with nn.Module; zero_grad of the module."""
import torch
from torch import nn
import torch.nn.functional as F


class Mnist_Logistic(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.randn(20, 10) / 20**0.5)
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, xb):
        return xb @ self.weights + self.bias


def fit():
    for epoch in range(2):
        for i in range(3):
            xb, yb = torch.randn(8, 20), torch.randint(0, 10, (8,))
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= p.grad * 0.5  # HERE
        model.zero_grad()
    return loss.item()


torch.manual_seed(0)
model = Mnist_Logistic()
print(fit())
