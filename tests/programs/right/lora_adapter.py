"""LoRA: the base is frozen, B starts at zero, so A's first gradient is exactly zero."""
import torch
from torch import nn


class LoRALinear(nn.Module):
    def __init__(self, base, rank=2):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(rank, base.in_features) * 0.1)
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + x @ self.A.t() @ self.B.t()


torch.manual_seed(0)
layer = LoRALinear(nn.Linear(5, 3))
opt = torch.optim.AdamW([p for p in layer.parameters() if p.requires_grad], lr=0.01)
x, y = torch.randn(10, 5), torch.randn(10, 3)
for i in range(6):
    loss = (layer(x) - y).pow(2).mean()
    loss.backward()
    print(i, loss.item(), layer.A.grad.norm().item())
    opt.step()
    opt.zero_grad()
