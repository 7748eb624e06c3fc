# pattern: 12
# expect: clip-without-gradient
"""zero_grad comes last, so the clipping at the loop's top finds None, or what is left of nothing."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.GRU(2, 4, batch_first=True)
opt = torch.optim.SGD(model.parameters(), lr=0.5)
for i in range(5):
    total_norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)  # BUG
    out, _ = model(torch.randn(3, 6, 2))
    loss = (out[:, -1] - 1).pow(2).sum()
    loss.backward()
    opt.step()
    opt.zero_grad()
    print(i, loss.item(), float(total_norm))
