# expect: clip-without-gradient @ BUG
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for step in range(6):
    x = torch.randn(10, 3)
    loss = nn.functional.mse_loss(net(x), x[:, :1])
    optimizer.zero_grad()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)  # BUG
    loss.backward()
    optimizer.step()
    print(step, loss.item())
