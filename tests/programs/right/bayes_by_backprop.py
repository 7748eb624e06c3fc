import torch
from torch import nn

torch.manual_seed(0)
mu = nn.Parameter(torch.zeros(3))
rho = nn.Parameter(torch.full((3,), -2.0))
opt = torch.optim.Adam([mu, rho], lr=0.05)
x = torch.randn(25, 3)
y = x @ torch.tensor([1.0, 2.0, 3.0])
for i in range(8):
    opt.zero_grad()
    for sample in range(2):
        sigma = nn.functional.softplus(rho)
        w = mu + sigma * torch.randn(3)
        nll = (x @ w - y).pow(2).sum()
        kl = (sigma.pow(2) + mu.pow(2) - 1 - 2 * sigma.log()).sum() / 2
        ((nll + kl) / 2).backward()
    opt.step()
    print(i, nll.item())
