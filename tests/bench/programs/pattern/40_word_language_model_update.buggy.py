# pattern: 40
# expect: missing-gradient
# raises: TypeError
"""The examples' word language model: p.data.add_(p.grad, alpha=-lr) on a layer that was not used."""
import torch
from torch import nn

torch.manual_seed(0)
encoder, rnn, decoder = nn.Embedding(8, 6), nn.GRU(6, 6), nn.Linear(6, 8)
params = [*encoder.parameters(), *rnn.parameters(), *decoder.parameters()]
lr = 0.5
for step in range(3):
    ids = torch.randint(0, 8, (7, 2))
    out, _ = rnn(encoder(ids[:-1]))
    loss = nn.functional.cross_entropy(decoder(out).flatten(0, 1), ids[1:].flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(params, 0.25)
    for p in params:
        p.grad = None
        p.data.add_(p.grad, alpha=-lr)  # BUG
    print(step, loss.item())
