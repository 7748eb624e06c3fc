"""Greedy layer-wise: each autoencoder has its optimizer; then all are tuned with a head."""

import torch
from torch import nn

torch.manual_seed(0)
sizes = [6, 5, 4]
data = torch.rand(24, 6)
encoders = []
h = data
for a, b in zip(sizes, sizes[1:]):
    enc, dec = nn.Linear(a, b), nn.Linear(b, a)
    opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=1e-2)
    for _ in range(5):
        loss = (dec(torch.sigmoid(enc(h))) - h).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    h = torch.sigmoid(enc(h)).detach()
    encoders += [enc, nn.Sigmoid()]
    print("layer", loss.item())
net = nn.Sequential(*encoders, nn.Linear(4, 2))
tune = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    loss = nn.functional.cross_entropy(net(data), (data[:, 0] > 0.5).long())
    tune.zero_grad()
    loss.backward()
    tune.step()
    print(loss.item())
