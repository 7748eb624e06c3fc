# pattern: 15
# expect: exhausted-generator
"""`params` is a generator that the optimizer has already used up: the clipping sees nothing."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.LSTM(2, 6, batch_first=True)
params = net.parameters()
optimizer = torch.optim.SGD(params, lr=0.5)
for i in range(5):
    out, _ = net(torch.randn(4, 9, 2))
    loss = (out[:, -1] - 2).pow(2).sum()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(params, 0.1)  # BUG
    optimizer.step()
    print(i, loss.item())
