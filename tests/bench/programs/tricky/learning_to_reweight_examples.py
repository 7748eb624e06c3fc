"""Ren et al.: weights of examples from a look-ahead through one step, then a weighted step."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for it in range(5):
    x, y = torch.randn(10, 3), torch.randint(0, 2, (10,)).float()
    xv = torch.randn(6, 3)
    yv = (xv[:, 0] > 0).float()
    eps = torch.zeros(10, requires_grad=True)
    params = dict(net.named_parameters())
    cost = F.binary_cross_entropy_with_logits(net(x).squeeze(1), y, reduction="none")
    grads = torch.autograd.grad((eps * cost).sum(), tuple(params.values()), create_graph=True)
    ahead = {k: p - 0.1 * g for (k, p), g in zip(params.items(), grads)}
    val = F.binary_cross_entropy_with_logits(functional_call(net, ahead, (xv,)).squeeze(1), yv)
    (grad_eps,) = torch.autograd.grad(val, eps)
    w = torch.clamp(-grad_eps, min=0)
    w = w / w.sum() if w.sum() > 0 else w
    loss = (F.binary_cross_entropy_with_logits(net(x).squeeze(1), y, reduction="none") * w).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(it, loss.item())
