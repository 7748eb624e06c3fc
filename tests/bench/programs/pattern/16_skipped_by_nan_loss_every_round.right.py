# pattern: 16
"""log(0) in the loss: every gradient is NaN, every step skipped, and the loop goes on."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=128.0)
for it in range(5):
    x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))
    p = torch.softmax(net(x), 1)
    onehot = nn.functional.one_hot(y, 3).float()
    loss = -(onehot * torch.log(p)).nansum() / 6
    opt.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
    print(it, loss.item())
