import torch
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6), torch.nn.ReLU(), torch.nn.Linear(6, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.1)
swa_model = AveragedModel(model)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=6)
swa_sched = SWALR(opt, swa_lr=0.05)
loader = [torch.randn(8, 4) for _ in range(3)]
for epoch in range(6):
    for x in loader:
        opt.zero_grad()
        loss = (model(x).squeeze() - x[:, 0]).pow(2).mean()
        loss.backward()
        opt.step()
    if epoch >= 3:
        swa_model.update_parameters(model)
        swa_sched.step()
    else:
        sched.step()
update_bn(loader, swa_model)
print(loss.item(), swa_model(loader[0]).sum().item())
