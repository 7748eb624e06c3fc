# pattern: 27
"""An encoder with an optimizer of its own; its output is detached on the way to the loss."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(6, 3), nn.Linear(3, 6)
enc_opt = torch.optim.Adam(encoder.parameters(), lr=1e-2)
dec_opt = torch.optim.Adam(decoder.parameters(), lr=1e-2)
for step in range(5):
    x = torch.randn(8, 6)
    z = torch.tanh(encoder(x))
    loss = (decoder(z) - x).pow(2).mean()
    enc_opt.zero_grad()
    dec_opt.zero_grad()
    loss.backward()
    enc_opt.step()
    dec_opt.step()
    print(step, loss.item())
