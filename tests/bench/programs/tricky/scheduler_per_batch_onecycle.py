import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 2)
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.1, total_steps=8)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=1)
for i in range(8):
    loss = nn.functional.cross_entropy(model(torch.randn(8, 3)), torch.randint(0, 2, (8,)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if i % 4 == 3:
        plateau.step(loss.item())
    print(loss.item(), opt.param_groups[0]["lr"])
