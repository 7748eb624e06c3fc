# pattern: 12
# expect: clip-without-gradient
import torch
from torch import nn

torch.manual_seed(0)
predictor = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.AdamW(predictor.parameters(), lr=1e-2)
state = torch.randn(16, 4)
for step in range(6):
    target = state.roll(1, dims=1) * 3
    loss = (predictor(state) - target).pow(2).mean()
    optimizer.zero_grad()
    torch.nn.utils.clip_grad_norm_(predictor.parameters(), 1.0)  # BUG
    loss.backward()
    optimizer.step()
    print(step, loss.item())
