"""PPO: an epoch is broken off when the policy has moved too far, after backward and before step."""
import torch
from torch import nn

torch.manual_seed(0)
pi = nn.Linear(3, 2)
opt = torch.optim.Adam(pi.parameters(), lr=0.1)
for update in range(4):
    s, adv = torch.randn(16, 3), torch.randn(16)
    with torch.no_grad():
        old = torch.log_softmax(pi(s), 1)[:, 0]
    for k in range(5):
        logp = torch.log_softmax(pi(s), 1)[:, 0]
        ratio = (logp - old).exp()
        loss = -torch.min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
        opt.zero_grad()
        loss.backward()
        if (old - logp).mean() > 0.01:
            break
        opt.step()
    print(update, k, loss.item())
