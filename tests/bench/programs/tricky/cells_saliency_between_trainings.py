"""Train, look at a saliency map (which leaves gradients in the model), train on with zero_grad first."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)


def fit(rounds):
    for _ in range(rounds):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(torch.randn(8, 6)), torch.randint(0, 3, (8,)))
        loss.backward()
        opt.step()
    return loss.item()


# %%
print(fit(3))
# %%
image = torch.randn(1, 6, requires_grad=True)
net(image)[0].max().backward()
print(image.grad.abs())
# %%
print(fit(3))
