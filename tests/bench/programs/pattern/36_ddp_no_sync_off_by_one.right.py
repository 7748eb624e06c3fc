# pattern: 36
import contextlib

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
torch.manual_seed(0)
model = DistributedDataParallel(nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
accumulate = 4
for i in range(8):
    x = torch.randn(8, 4)
    last = (i + 1) % accumulate == 0
    with contextlib.nullcontext() if last else model.no_sync():
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean() / accumulate
        loss.backward()
    if (i + 1) % accumulate == 0:
        optimizer.step()
        optimizer.zero_grad()
        print(i, loss.item())
del model
dist.destroy_process_group()
