"""Instead of unscaling, the limit is multiplied by the scale."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(4, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu")
for i in range(5):
    opt.zero_grad()
    scaler.scale((net(torch.randn(8, 4)) - 3).pow(2).mean()).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5 * scaler.get_scale())
    scaler.step(opt)
    scaler.update()
