# pattern: 1
# expect: stale-gradient
# runs: 1 2 3 3
"""In a notebook, zero_grad ended up in the cell above the loop."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
lstm = nn.LSTM(1, 4, batch_first=True)
fc = nn.Linear(4, 1)
opt = torch.optim.RMSprop([*lstm.parameters(), *fc.parameters()], lr=5e-3)
wave = torch.sin(torch.linspace(0, 12, 80)).view(8, 10, 1)
# %%
opt.zero_grad()
# %%
for i in range(4):
    out, _ = lstm(wave[:, :-1])
    loss = nn.functional.mse_loss(fc(out), wave[:, 1:])
    loss.backward()
    opt.step()  # BUG
    print(loss.item())
