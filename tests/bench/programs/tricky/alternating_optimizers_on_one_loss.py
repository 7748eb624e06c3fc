"""Even rounds move the encoder, odd rounds the decoder; whoever does not step is cleared all the same."""
import torch
from torch import nn

torch.manual_seed(0)
enc, dec = nn.Linear(5, 3), nn.Linear(3, 5)
opts = [torch.optim.SGD(enc.parameters(), lr=0.1), torch.optim.SGD(dec.parameters(), lr=0.1)]
for it in range(8):
    x = torch.randn(12, 5)
    loss = (dec(torch.tanh(enc(x))) - x).pow(2).mean()
    loss.backward()
    opts[it % 2].step()
    for o in opts:
        o.zero_grad()
    print(it, loss.item())
