"""Each head steps after its own loss, the trunk once, on the sum of both."""
import torch
from torch import nn

torch.manual_seed(0)
trunk, head_a, head_b = nn.Linear(5, 6), nn.Linear(6, 1), nn.Linear(6, 2)
opt_t, opt_a, opt_b = (torch.optim.SGD(m.parameters(), lr=0.05) for m in (trunk, head_a, head_b))
for it in range(6):
    for o in (opt_t, opt_a, opt_b):
        o.zero_grad()
    x = torch.randn(8, 5)
    loss_a = (head_a(torch.tanh(trunk(x))).squeeze() - x[:, 0]).pow(2).mean()
    loss_a.backward()
    opt_a.step()
    loss_b = nn.functional.cross_entropy(head_b(torch.tanh(trunk(x))), (x[:, 1] > 0).long())
    loss_b.backward()
    opt_b.step()
    opt_t.step()
    print(loss_a.item(), loss_b.item())
