# expect: stale-gradient @ HERE
import torch


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size  # HERE


torch.manual_seed(0)
W = torch.normal(0, 0.01, size=(4, 2), requires_grad=True)
b = torch.zeros(2, requires_grad=True)
for epoch in range(6):
    X = torch.randn(10, 4)
    y = (X[:, 0] > 0).long()
    l = torch.nn.functional.cross_entropy(X @ W + b, y, reduction="sum")
    l.backward()
    sgd([W, b], 0.1, 10)
    print(l.item())
