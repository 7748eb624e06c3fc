"""Stage one trains the body (the head gets gradients too), stage two the head."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 2)


def stage(opt, rounds):
    for _ in range(rounds):
        x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
        opt.zero_grad()
        loss = nn.functional.cross_entropy(head(body(x)), y)
        loss.backward()
        opt.step()
    print(loss.item())


# %%
stage(torch.optim.Adam(body.parameters(), lr=1e-2), 5)
# %%
stage(torch.optim.Adam(head.parameters(), lr=1e-2), 3)
