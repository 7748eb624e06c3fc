import copy

import torch
from torch import nn

torch.manual_seed(0)
student = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 4))
teacher = copy.deepcopy(student).requires_grad_(False)
opt = torch.optim.SGD(student.parameters(), lr=0.1)
for it in range(6):
    x = torch.randn(8, 3)
    loss = nn.functional.mse_loss(student(x + 0.1 * torch.randn_like(x)), teacher(x))
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for s, t in zip(student.parameters(), teacher.parameters()):
            t.lerp_(s, 0.1)
        student[2].weight.div_(student[2].weight.norm(dim=1, keepdim=True))
        student[0].weight.clamp_(-1, 1)
    print(loss.item())
