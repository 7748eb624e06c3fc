"""The server steps before the client's backward goes on with the gradient of the cut layer."""

import torch
from torch import nn

torch.manual_seed(0)
client, server = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 2)
opt_c, opt_s = (torch.optim.SGD(m.parameters(), lr=0.1) for m in (client, server))
for batch in range(5):
    x = torch.randn(8, 4)
    y = (x[:, 0] > 0).long()
    sent = client(x)
    received = sent.detach().requires_grad_()
    opt_s.zero_grad()
    loss = nn.functional.cross_entropy(server(received), y)
    loss.backward()
    opt_s.step()
    opt_c.zero_grad()
    sent.backward(received.grad)
    opt_c.step()
    print(loss.item())
