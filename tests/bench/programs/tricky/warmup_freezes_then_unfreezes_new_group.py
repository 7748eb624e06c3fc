"""The backbone joins the optimizer after two epochs, by add_param_group."""

import torch
from torch import nn

torch.manual_seed(0)
backbone, head = nn.Sequential(nn.Linear(4, 8), nn.ReLU()), nn.Linear(8, 2)
for p in backbone.parameters():
    p.requires_grad = False
opt = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
for epoch in range(5):
    if epoch == 2:
        for p in backbone.parameters():
            p.requires_grad = True
        opt.add_param_group({"params": backbone.parameters(), "lr": 0.01})
    for _ in range(3):
        x = torch.randn(8, 4)
        opt.zero_grad()
        loss = nn.functional.cross_entropy(head(backbone(x)), (x[:, 0] > 0).long())
        loss.backward()
        opt.step()
    print(epoch, loss.item())
