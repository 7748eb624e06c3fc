# expect: changed-in-place @ HERE
# raises: RuntimeError
"""Generator and discriminator losses from one graph, with a step between them."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
opt_a = torch.optim.Adam(head.parameters(), lr=1e-2)
opt_b = torch.optim.Adam(body.parameters(), lr=1e-2)
for i in range(3):
    out = head(body(torch.randn(5, 3)))
    loss_a, loss_b = (out - 1).pow(2).mean(), (out + 1).pow(2).mean()
    opt_a.zero_grad()
    loss_a.backward(retain_graph=True)
    opt_a.step()
    opt_b.zero_grad()
    loss_b.backward()  # HERE
    opt_b.step()
