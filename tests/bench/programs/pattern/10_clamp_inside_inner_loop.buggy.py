# pattern: 10
# expect: clip-each-backward
"""Clamping by hand, once for every micro-batch instead of once for every step."""
import torch
from torch import nn

torch.manual_seed(0)
rnn, readout = nn.GRU(2, 6, batch_first=True), nn.Linear(6, 1)
params = [*rnn.parameters(), *readout.parameters()]
opt = torch.optim.RMSprop(params, lr=1e-3)


def clamp_gradients(bound):
    for p in params:
        p.grad.clamp_(-bound, bound)  # BUG


for update in range(4):
    opt.zero_grad()
    for micro in range(3):
        seq = torch.randn(5, 7, 2)
        out, _ = rnn(seq)
        loss = (readout(out[:, -1]) - seq.sum((1, 2))[:, None]).pow(2).mean()
        loss.backward()
        clamp_gradients(0.1)  # BUG
    opt.step()
    print(update, loss.item())
