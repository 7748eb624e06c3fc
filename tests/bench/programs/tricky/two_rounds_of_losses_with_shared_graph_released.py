"""Encoder runs once, two decoders back-propagate into a cut, then the encoder once (split learning)."""
import torch
from torch import nn

torch.manual_seed(0)
client, server = nn.Linear(4, 3), nn.Linear(3, 2)
c_opt, s_opt = torch.optim.SGD(client.parameters(), 0.1), torch.optim.SGD(server.parameters(), 0.1)
for it in range(5):
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    smashed = torch.relu(client(x))
    received = smashed.detach().requires_grad_()
    loss = nn.functional.cross_entropy(server(received), y)
    c_opt.zero_grad()
    s_opt.zero_grad()
    loss.backward()
    s_opt.step()
    smashed.backward(received.grad)
    c_opt.step()
    print(loss.item())
