"""A warm-up from zero, then cosine, and a second scheduler that looks at the loss."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
sched = torch.optim.lr_scheduler
warm = sched.LambdaLR(opt, lambda k: k / 3)
both = sched.SequentialLR(opt, [warm, sched.CosineAnnealingLR(opt, 5)], milestones=[3])
plateau = sched.ReduceLROnPlateau(opt, patience=1)
for epoch in range(7):
    loss = net(torch.randn(5, 3)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    both.step()
    plateau.step(loss.item())
