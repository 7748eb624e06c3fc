"""DINO: the last layer's gradients are cancelled during the first epoch."""
import copy

import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
student = nn.ModuleDict({"body": nn.Linear(6, 8), "last_layer": nn.Linear(8, 4, bias=False)})
teacher = copy.deepcopy(student).requires_grad_(False)
optimizer = torch.optim.AdamW(student.parameters(), lr=1e-3)
center = torch.zeros(1, 4)
run = lambda m, x: m["last_layer"](F.gelu(m["body"](x)))
for epoch in range(3):
    for it in range(3):
        x = torch.randn(8, 6)
        t = run(teacher, x + 0.1 * torch.randn(8, 6))
        q = F.softmax((t - center) / 0.04, dim=-1)
        loss = -(q * F.log_softmax(run(student, x) / 0.1, dim=-1)).sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 3.0)
        if epoch < 1:
            for n, p in student.named_parameters():
                if "last_layer" in n:
                    p.grad = None
        optimizer.step()
        with torch.no_grad():
            center = center * 0.9 + t.mean(0, keepdim=True) * 0.1
            for ps, pt in zip(student.parameters(), teacher.parameters()):
                pt.data.mul_(0.99).add_(0.01 * ps.detach().data)
    print(epoch, loss.item())
