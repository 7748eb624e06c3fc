"""PCGrad: one backward per task, gradients cloned, projected, put back, one step."""
import torch
from torch import nn

torch.manual_seed(0)
shared, head_a, head_b = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)
params = [*shared.parameters(), *head_a.parameters(), *head_b.parameters()]
opt = torch.optim.SGD(params, lr=0.05)


def flat(grads):
    return torch.cat([g.flatten() for g in grads])


for it in range(5):
    x = torch.randn(10, 4)
    losses = [head_a(torch.tanh(shared(x))).pow(2).mean(), (head_b(torch.tanh(shared(x))) - 1).pow(2).mean()]
    task_grads = []
    for loss in losses:
        opt.zero_grad(set_to_none=True)
        loss.backward()
        task_grads.append([torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in params])
    g1, g2 = flat(task_grads[0]), flat(task_grads[1])
    dot = torch.dot(g1, g2)
    merged = g1 + g2
    if dot < 0:
        merged = g1 - dot / g2.dot(g2) * g2 + g2 - dot / g1.dot(g1) * g1
    offset = 0
    for p in params:
        p.grad = merged[offset : offset + p.numel()].view_as(p).clone()
        offset += p.numel()
    opt.step()
    print(it, [l.item() for l in losses])
