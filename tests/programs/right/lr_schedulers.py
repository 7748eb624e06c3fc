import torch
from torch.optim import lr_scheduler

torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
opt = torch.optim.SGD([{"params": [net.weight], "lr": 0.1}, {"params": [net.bias], "lr": 0.2}], momentum=0.9, nesterov=True)
warm = lr_scheduler.LinearLR(opt, start_factor=0.1, total_iters=3)
cos = lr_scheduler.CosineAnnealingLR(opt, T_max=5)
sched = lr_scheduler.SequentialLR(opt, [warm, cos], milestones=[3])
plateau = lr_scheduler.ReduceLROnPlateau(torch.optim.SGD(net.parameters(), lr=1.0))
for epoch in range(8):
    x = torch.randn(8, 4)
    opt.zero_grad()
    loss = (net(x).squeeze() - x[:, 0]).pow(2).mean()
    loss.backward()
    opt.step()
    sched.step()
    plateau.step(loss.item())
    print(epoch, [round(l, 5) for l in sched.get_last_lr()], loss.item())
