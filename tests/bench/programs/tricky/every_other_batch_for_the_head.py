"""The backbone steps every third batch on what was gathered, the head on every one."""
import torch
from torch import nn

torch.manual_seed(0)
backbone, head = nn.Linear(4, 6), nn.Linear(6, 2)
slow, fast = torch.optim.SGD(backbone.parameters(), lr=0.01), torch.optim.SGD(head.parameters(), lr=0.1)
for i in range(9):
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    loss = nn.functional.cross_entropy(head(torch.relu(backbone(x))), y)
    loss.backward()
    fast.step()
    fast.zero_grad()
    if i % 3 == 2:
        slow.step()
        slow.zero_grad()
    print(loss.item())
