"""The same within one run: what the first stage left in the head is cleared before its own first step."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 2)


def stage(parameters, rounds):
    opt = torch.optim.Adam(parameters, lr=1e-2)
    for _ in range(rounds):
        x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
        opt.zero_grad()
        loss = nn.functional.cross_entropy(head(body(x)), y)
        loss.backward()
        opt.step()
    print(loss.item())


stage(list(body.parameters()), 6)
stage(list(head.parameters()), 2)
