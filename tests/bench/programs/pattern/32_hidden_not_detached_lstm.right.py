# pattern: 32
import torch
from torch import nn

torch.manual_seed(0)
lstm, readout = nn.LSTM(2, 6, batch_first=True), nn.Linear(6, 2)
optimizer = torch.optim.Adam([*lstm.parameters(), *readout.parameters()], lr=1e-2)
state = None
for chunk in torch.randn(4, 12, 2).split(3, dim=1):
    optimizer.zero_grad()
    out, state = lstm(chunk, state)
    state = tuple(s.detach() for s in state)
    loss = (readout(out[:, :-1]) - chunk[:, 1:]).pow(2).mean()
    loss.backward()
    optimizer.step()
    print(loss.item())
