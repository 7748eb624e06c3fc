# pattern: 2
# expect: stale-gradient
"""Labelled and unlabelled batches in turn; the unlabelled branch does not clear."""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Dropout(0.1), nn.Linear(12, 2))
optim = torch.optim.RMSprop(net.parameters(), lr=1e-3)
for it in range(8):
    x = torch.randn(10, 4)
    if it % 2 == 0:
        optim.zero_grad()
        loss = F.cross_entropy(net(x), (x.sum(1) > 0).long())
        loss.backward()
        optim.step()
    else:
        p, q = net(x), net(x + 0.01 * torch.randn_like(x))
        loss = F.mse_loss(p.softmax(1), q.softmax(1))
        loss.backward()
        optim.step()  # BUG
    print(it, loss.item())
