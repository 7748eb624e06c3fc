# expect: stale-gradient @ HERE
"""Encoder and decoder: the decoder's optimizer is zeroed twice, the encoder's never."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(6, 3), nn.Linear(3, 6)
enc_opt = torch.optim.Adam(encoder.parameters(), lr=0.01)
dec_opt = torch.optim.Adam(decoder.parameters(), lr=0.01)
for i in range(5):
    x = torch.randn(8, 6)
    loss = (decoder(torch.tanh(encoder(x))) - x).pow(2).mean()
    dec_opt.zero_grad()
    dec_opt.zero_grad()
    loss.backward()
    enc_opt.step()  # HERE
    dec_opt.step()
    print(loss.item())
