"""Truncated back-propagation through time: the state is detached between windows."""
import torch
from torch import nn

torch.manual_seed(0)
lstm = nn.LSTM(4, 8, batch_first=True)
head = nn.Linear(8, 4)
opt = torch.optim.Adam(list(lstm.parameters()) + list(head.parameters()), lr=0.01)
series = torch.randn(2, 40, 4)


def repackage(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage(v) for v in h)


for epoch in range(2):
    state = (torch.zeros(1, 2, 8), torch.zeros(1, 2, 8))
    for start in range(0, 35, 5):
        state = repackage(state)
        out, state = lstm(series[:, start : start + 5], state)
        loss = (head(out) - series[:, start + 1 : start + 6]).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(lstm.parameters(), 0.25)
        opt.step()
    print(epoch, loss.item())
