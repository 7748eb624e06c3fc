"""Gauss-Newton (its diagonal): rows of the Jacobian are gradients, stored or cloned, then cleared."""

import torch

torch.manual_seed(0)
X, y = torch.randn(6, 2), torch.randn(6)
th = torch.zeros(2, requires_grad=True)
J = torch.zeros(6, 2)
for it in range(3):
    r = torch.tanh(X @ th) - y
    for i in range(6):
        r[i].backward(retain_graph=True); J[i] = th.grad; th.grad.zero_()
    with torch.no_grad():
        th -= 0.5 * (J * r[:, None]).sum(0) / (J * J).sum(0)

v = torch.zeros(2, requires_grad=True)
for it in range(3):
    r = torch.tanh(X @ v) - y
    rows = []
    for i in range(6):
        if v.grad is not None:
            v.grad.zero_()
        r[i].backward(retain_graph=True)
        rows.append(v.grad.clone())
    with torch.no_grad():
        R = torch.stack(rows)
        v -= 0.5 * (R * r[:, None]).sum(0) / (R * R).sum(0)
print(th, v)
