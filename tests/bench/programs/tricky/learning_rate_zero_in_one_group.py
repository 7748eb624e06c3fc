"""A group with rate zero is a frozen group; warm-up from zero moves nothing in its first round."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(4, 4), nn.Linear(4, 2)
opt = torch.optim.SGD([{"params": body.parameters(), "lr": 0.0}, {"params": head.parameters()}], lr=0.1)
warm = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: min(1.0, k / 3))
for i in range(6):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(head(torch.relu(body(torch.randn(8, 4)))), torch.randint(0, 2, (8,)))
    loss.backward()
    opt.step()
    warm.step()
    print(loss.item(), warm.get_last_lr())
