import torch
from torch import nn
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
model = nn.Linear(3, 1)
params = {k: v.detach() for k, v in model.named_parameters()}


def loss(p, x, y):
    return (functional_call(model, p, (x,)).squeeze() - y).pow(2)


per_sample = vmap(grad(loss), in_dims=(None, 0, 0))
for step in range(5):
    x = torch.randn(8, 3)
    g = per_sample(params, x, x.sum(1))
    params = {k: v - 0.1 * g[k].mean(0) for k, v in params.items()}
print(params["weight"])
