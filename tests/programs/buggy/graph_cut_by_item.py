# expect: unreached-leaf @ HERE
"""`.item()` inside the loss cuts the encoder off."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(4, 1), nn.Linear(1, 1)
optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.05)
for i in range(4):
    x = torch.randn(4)
    code = encoder(x).item()
    loss = (decoder(torch.tensor([code])) - x.sum()).pow(2).sum()
    optimizer.zero_grad()
    loss.backward()  # HERE
    optimizer.step()  # HERE
    print(i, loss.item())
