"""A new copy of the parameters in each round (functional style), so nothing needs zeroing."""
import torch

torch.manual_seed(0)
params = {"w": torch.randn(4, 2), "b": torch.zeros(2)}
x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))


def loss_fn(p):
    return torch.nn.functional.cross_entropy(x @ p["w"] + p["b"], y)


for step in range(8):
    params = {k: v.detach().requires_grad_() for k, v in params.items()}
    loss = loss_fn(params)
    loss.backward()
    params = {k: v - 0.3 * v.grad for k, v in params.items()}
    print(loss.item())
