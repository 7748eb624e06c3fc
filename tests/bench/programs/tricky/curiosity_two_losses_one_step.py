"""Several losses, each with a backward of its own, one step."""
import torch
from torch import nn

torch.manual_seed(0)
trunk, value, policy = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 2)
opt = torch.optim.Adam([*trunk.parameters(), *value.parameters(), *policy.parameters()], lr=1e-2)
for update in range(5):
    h = torch.tanh(trunk(torch.randn(6, 4)))
    losses = [value(h).pow(2).mean(), -policy(h).log_softmax(1)[:, 0].mean()]
    opt.zero_grad()
    for k, loss in enumerate(losses):
        loss.backward(retain_graph=k + 1 < len(losses))
    opt.step()
    print([x.item() for x in losses])
