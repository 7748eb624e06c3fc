"""TracIn: gradients of single samples are compared, none of them is used to train."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
X, Y = torch.randn(6, 4), torch.randint(0, 2, (6,))


def flat_gradient(x, y):
    model.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


for epoch in range(3):
    test = flat_gradient(X[:1], Y[:1])
    print([round(float(test @ flat_gradient(X[i : i + 1], Y[i : i + 1])), 4) for i in range(1, 6)])
    flat_gradient(X, Y)
    opt.step()
