# expect: vanishing-gradient @ HERE
"""A chain of hand-written layers, each of which passes a tenth of the gradient on; Adam."""
import torch

torch.manual_seed(0)
weights = [torch.nn.Parameter(torch.randn(6, 6) * 0.4) for _ in range(16)]
opt = torch.optim.Adam(weights, lr=1e-3)


def forward(h):
    for w in weights:
        h = torch.sigmoid(h @ w)
    return h


for i in range(4):
    opt.zero_grad()
    loss = forward(torch.randn(5, 6)).sum()
    loss.backward()  # HERE
    opt.step()
