"""The warm-up's group gets a rate of zero later; its last gradient stays and moves nothing."""
import torch
from torch import nn

torch.manual_seed(0)
embed, rest = nn.Linear(4, 6), nn.Linear(6, 2)
opt = torch.optim.SGD([{"params": embed.parameters()}, {"params": rest.parameters()}], lr=0.1)
for epoch in range(8):
    x = torch.randn(8, 4)
    features = embed(x)
    if epoch >= 2:
        opt.param_groups[0]["lr"] = 0.0
        features = features.detach()
    rest.zero_grad()
    if epoch < 2:
        embed.zero_grad()
    loss = nn.functional.cross_entropy(rest(torch.tanh(features)), (x[:, 0] > 0).long())
    loss.backward()
    opt.step()
    print(epoch, loss.item())
