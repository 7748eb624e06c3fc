# expect: stale-gradient @ HERE
import torch
from torch import nn

torch.manual_seed(0)
rnn = nn.RNN(3, 4)
lr = 0.1
for i in range(5):
    x = torch.randn(6, 2, 3)
    out, h = rnn(x)
    loss = out.pow(2).mean()
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad, alpha=-lr)  # HERE
    print(loss.item())
