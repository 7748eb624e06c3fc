import contextlib

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
torch.manual_seed(0)
model = DistributedDataParallel(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 1)))
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
for i in range(6):
    x = torch.randn(8, 4)
    step_now = i % 2 == 1
    with contextlib.nullcontext() if step_now else model.no_sync():
        loss = (model(x).squeeze() - x[:, 0]).pow(2).mean() / 2
        loss.backward()
    if step_now:
        opt.step()
        opt.zero_grad()
        print(loss.item())
del model
dist.destroy_process_group()
