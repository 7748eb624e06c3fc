# pattern: 11
# expect: clip-after-step
import torch
from torch import nn

torch.manual_seed(0)
q_net = nn.Sequential(nn.Linear(3, 10), nn.ReLU(), nn.Linear(10, 2))
optimizer = torch.optim.RMSprop(q_net.parameters(), lr=1e-3)
for t in range(6):
    s, a, r = torch.randn(8, 3), torch.randint(0, 2, (8, 1)), torch.randn(8, 1) * 10
    loss = nn.functional.smooth_l1_loss(q_net(s).gather(1, a), r)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for param in q_net.parameters():
        param.grad.data.clamp_(-0.01, 0.01)  # BUG
    print(t, loss.item())
