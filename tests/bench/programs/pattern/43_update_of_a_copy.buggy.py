# pattern: 43
# expect: unmoved-parameters
"""The kernel writes into a contiguous copy: a transposed encoder never moves (the MPS addcmul_ bug)."""
import torch
from torch import nn


class BrokenSGD(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.contiguous().add_(p.grad, alpha=-group["lr"])  # BUG


torch.manual_seed(0)
encoder, decoder = nn.Linear(6, 3), nn.Linear(3, 6)
encoder.weight = nn.Parameter(decoder.weight.data.clone().T)
optimizer = BrokenSGD([*encoder.parameters(), *decoder.parameters()], lr=0.1)
for step in range(8):
    x = torch.randn(16, 6)
    loss = (decoder(encoder(x)) - x).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # BUG
    print(step, loss.item(), encoder.weight.sum().item())
