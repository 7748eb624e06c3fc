"""The backbone is frozen after warm-up, its gradient dropped by zero_grad; one optimizer throughout."""
import torch
from torch import nn

torch.manual_seed(0)
backbone, head = nn.Linear(4, 6), nn.Linear(6, 2)
opt = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=1e-2)
for epoch in range(8):
    if epoch == 4:
        backbone.requires_grad_(False)
    x = torch.randn(8, 4)
    opt.zero_grad()
    loss = nn.functional.cross_entropy(head(torch.relu(backbone(x))), (x[:, 0] > 0).long())
    loss.backward()
    opt.step()
    print(epoch, loss.item())
