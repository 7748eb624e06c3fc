# pattern: 25
# expect: unowned-leaf | unreached-leaf | step-without-gradient
"""Encoder and decoder: both optimizers were given the encoder's parameters."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(8, 3), nn.Linear(3, 8)
enc_optim = torch.optim.Adam(encoder.parameters(), lr=1e-2)
dec_optim = torch.optim.Adam(encoder.parameters(), lr=1e-2)  # BUG
for it in range(6):
    x = torch.randn(10, 8)
    loss = (decoder(torch.tanh(encoder(x))) - x).pow(2).mean()
    enc_optim.zero_grad()
    dec_optim.zero_grad()
    loss.backward()
    enc_optim.step()
    dec_optim.step()  # BUG
    print(it, loss.item())
