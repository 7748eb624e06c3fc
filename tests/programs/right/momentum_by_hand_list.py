"""d2l's momentum: velocities in a list of states."""
import torch

torch.manual_seed(0)


def init_momentum_states(feature_dim):
    return (torch.zeros((feature_dim, 1)), torch.zeros(1))


def sgd_momentum(params, states, hyperparams):
    for p, v in zip(params, states):
        with torch.no_grad():
            v[:] = hyperparams["momentum"] * v + p.grad
            p[:] -= hyperparams["lr"] * v
        p.grad.data.zero_()


w = torch.normal(0, 0.01, size=(3, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
states = init_momentum_states(3)
X = torch.randn(40, 3)
y = X @ torch.tensor([[1.0], [2.0], [-1.0]]) + 0.5
for epoch in range(2):
    for i in range(0, 40, 10):
        l = ((X[i : i + 10] @ w + b - y[i : i + 10]) ** 2 / 2).mean()
        l.backward()
        sgd_momentum([w, b], states, {"lr": 0.1, "momentum": 0.5})
    print(epoch, l.item())
