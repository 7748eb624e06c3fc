"""The auxiliary head has an optimizer of its own; its loss is meant to shape the trunk as well."""

import torch
from torch import nn

torch.manual_seed(0)
trunk, head, aux = nn.Linear(5, 6), nn.Linear(6, 2), nn.Linear(6, 1)
opt_main = torch.optim.SGD([*trunk.parameters(), *head.parameters()], lr=0.05)
opt_aux = torch.optim.SGD(aux.parameters(), lr=0.01)
for it in range(6):
    opt_main.zero_grad()
    opt_aux.zero_grad()
    x = torch.randn(8, 5)
    aux_loss = (aux(torch.tanh(trunk(x))).squeeze() - x[:, 0]).pow(2).mean()
    (0.3 * aux_loss).backward()
    opt_aux.step()
    loss = nn.functional.cross_entropy(head(torch.tanh(trunk(x))), (x[:, 1] > 0).long())
    loss.backward()
    opt_main.step()
    print(loss.item(), aux_loss.item())
