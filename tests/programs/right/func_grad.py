import torch
from torch.func import grad, vmap


def loss_fn(params, x, y):
    w, b = params
    return (torch.tanh(w @ x) + b - y) ** 2


torch.manual_seed(0)
params = (torch.randn(3), torch.zeros(()))
xs, ys = torch.randn(10, 3), torch.randn(10)
for i in range(5):
    per_sample = vmap(grad(loss_fn), in_dims=(None, 0, 0))(params, xs, ys)
    params = tuple(p - 0.1 * g.mean(0) for p, g in zip(params, per_sample))
print(params)
