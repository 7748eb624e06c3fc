import torch
from torch import nn

torch.manual_seed(0)
a, b = nn.Linear(4, 4), nn.Linear(4, 1)
oa, ob = torch.optim.SGD(a.parameters(), lr=0.1), torch.optim.Adam(b.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
for i in range(4):
    for o in (oa, ob):
        o.zero_grad()
    x = torch.randn(8, 4)
    loss = (b(torch.tanh(a(x))).squeeze() - x[:, 0]).pow(2).mean()
    scaler.scale(loss).backward()
    for o, m in ((oa, a), (ob, b)):
        scaler.unscale_(o)
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        scaler.step(o)
    scaler.update()
    print(loss.item())
