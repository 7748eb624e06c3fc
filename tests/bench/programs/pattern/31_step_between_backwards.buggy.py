# pattern: 31
# expect: changed-in-place
# raises: RuntimeError
"""Two losses through one network: the first one's step changes weights that the second still needs."""
import torch
from torch import nn

torch.manual_seed(0)
shared = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))
head_a, head_b = nn.Linear(4, 1), nn.Linear(4, 1)
opt_a = torch.optim.Adam([*shared.parameters(), *head_a.parameters()], lr=1e-2)
opt_b = torch.optim.Adam(head_b.parameters(), lr=1e-2)
for step in range(3):
    x = torch.randn(8, 4)
    z = shared(x)
    loss_a, loss_b = head_a(z).pow(2).mean(), (head_b(z) - 1).pow(2).mean()
    opt_a.zero_grad()
    opt_b.zero_grad()
    loss_a.backward(retain_graph=True)
    opt_a.step()  # BUG
    loss_b.backward()  # BUG
    opt_b.step()
    print(step, loss_a.item(), loss_b.item())
