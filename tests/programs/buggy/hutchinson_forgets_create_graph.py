# expect: freed-graph @ HERE
# raises: RuntimeError
"""AdaHessian in short: the Hessian's diagonal by Hutchinson's method, from a backward that keeps its graph."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
params = list(model.parameters())
lr, x, y = 0.1, torch.randn(16, 6), torch.randn(16, 1)
for step in range(5):
    loss = (model(x) - y).pow(2).mean()
    loss.backward(create_graph=True)
    grads = [p.grad for p in params]
    z = [torch.randint(0, 2, p.shape) * 2.0 - 1.0 for p in params]
    hz = torch.autograd.grad(grads, params, grad_outputs=z)  # HERE
    with torch.no_grad():
        for p, h, v in zip(params, hz, z):
            diagonal = (h * v).abs()
            p -= lr * p.grad / (diagonal.sqrt() + 1.0)
    print(step, loss.item())
for p in params:
    p.grad = None
