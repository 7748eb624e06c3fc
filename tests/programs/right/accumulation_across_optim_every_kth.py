"""The discriminator-like head is stepped only every third batch; its gradient collects meanwhile."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
opt_body = torch.optim.SGD(body.parameters(), lr=0.05)
opt_head = torch.optim.SGD(head.parameters(), lr=0.05)
for i in range(9):
    loss = head(torch.relu(body(torch.randn(6, 4)))).pow(2).mean()
    loss.backward()
    opt_body.step()
    opt_body.zero_grad()
    if i % 3 == 2:
        opt_head.step()
        opt_head.zero_grad()
    print(i, loss.item())
