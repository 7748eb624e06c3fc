import copy

import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
ema = copy.deepcopy(model).requires_grad_(False)
opt = torch.optim.Adam(model.parameters(), lr=0.05)


@torch.no_grad()
def update_ema(decay=0.9):
    for e, p in zip(ema.parameters(), model.parameters()):
        e.mul_(decay).add_(p, alpha=1 - decay)


for step in range(8):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    update_ema()
print(model.weight, ema.weight)
