# expect: loss-not-a-number @ HERE
# raises: RuntimeError
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(2):
    loss = nn.functional.mse_loss(net(torch.randn(5, 3)), torch.ones(5, 1), reduction="none")
    opt.zero_grad()
    loss.backward()  # HERE
    opt.step()
