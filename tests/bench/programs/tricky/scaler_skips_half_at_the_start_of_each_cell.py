"""Two cells, each with a scaler of its own that starts high: a few skips in each."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(6, 1)
opt = torch.optim.SGD(net.parameters(), lr=1e-3)


def fit(steps):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**17)
    for _ in range(steps):
        x = torch.randn(8, 6)
        with torch.autocast("cpu", dtype=torch.float16):
            out = net(x)
        loss = (out.float().squeeze() - x.sum(1)).pow(2).sum()
        opt.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
    print(loss.item(), scaler.get_scale())


# %%
fit(12)
# %%
fit(12)
