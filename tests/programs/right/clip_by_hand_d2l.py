"""d2l's grad_clipping: param.grad[:] *= theta / norm."""
import torch

torch.manual_seed(0)
W_xh = torch.nn.Parameter(torch.randn(5, 6) * 0.5)
W_hh = torch.nn.Parameter(torch.randn(6, 6) * 0.5)
W_hq = torch.nn.Parameter(torch.randn(6, 5) * 0.5)
params = [W_xh, W_hh, W_hq]


def grad_clipping(params, theta):
    norm = torch.sqrt(sum(torch.sum((p.grad**2)) for p in params))
    if norm > theta:
        for param in params:
            param.grad[:] *= theta / norm


updater = torch.optim.SGD(params, lr=0.5)
state = None
for epoch in range(5):
    tokens = torch.randint(0, 5, (7, 3))
    H = torch.zeros(3, 6) if state is None else state.detach_()
    outputs = []
    for X in torch.nn.functional.one_hot(tokens[:-1], 5).float():
        H = torch.tanh(X @ W_xh + H @ W_hh)
        outputs.append(H @ W_hq)
    state = H
    l = torch.nn.functional.cross_entropy(torch.cat(outputs), tokens[1:].reshape(-1))
    updater.zero_grad()
    l.backward()
    grad_clipping(params, 1)
    updater.step()
    print(epoch, l.item())
