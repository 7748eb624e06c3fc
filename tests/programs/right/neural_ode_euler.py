import torch
from torch import nn

torch.manual_seed(0)
f = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
x0 = nn.Parameter(torch.tensor([[1.0, 0.0]]))
opt = torch.optim.RMSprop([{"params": f.parameters()}, {"params": [x0], "lr": 1e-3}], lr=1e-2)
target = torch.tensor([[0.0, 1.0]])
for it in range(6):
    opt.zero_grad()
    x = x0
    for _ in range(10):
        x = x + 0.1 * f(x)
    loss = (x - target).pow(2).sum()
    loss.backward()
    opt.step()
    print(it, loss.item())
