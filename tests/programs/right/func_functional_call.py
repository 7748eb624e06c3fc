"""Stateless training: functional_call with grad_and_value."""
import torch
from torch.func import functional_call, grad_and_value

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
params = {k: v.detach() for k, v in model.named_parameters()}
x = torch.randn(16, 2)
y = x.prod(1, keepdim=True)


def compute(params):
    return torch.nn.functional.mse_loss(functional_call(model, params, (x,)), y)


for i in range(8):
    grads, loss = grad_and_value(compute)(params)
    params = {k: p - 0.2 * grads[k] for k, p in params.items()}
    print(loss.item())
