"""PPO-like: the clipping stands in the inner loop, and so do zero_grad and step."""
import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
opt = torch.optim.Adam(policy.parameters(), lr=3e-3)
for update in range(2):
    s, a, adv = torch.randn(12, 4), torch.randint(0, 2, (12,)), torch.randn(12)
    with torch.no_grad():
        old = policy(s).log_softmax(1).gather(1, a[:, None]).squeeze()
    for epoch in range(2):
        for idx in torch.randperm(12).split(4):
            new = policy(s[idx]).log_softmax(1).gather(1, a[idx][:, None]).squeeze()
            ratio = (new - old[idx]).exp()
            loss = -torch.min(ratio * adv[idx], ratio.clamp(0.8, 1.2) * adv[idx]).mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            opt.step()
    print(loss.item())
