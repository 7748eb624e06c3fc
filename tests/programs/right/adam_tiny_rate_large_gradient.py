"""A fine-tuning rate, large weights and huge gradients: Adam's step is lost in rounding."""
import torch

torch.manual_seed(0)
w = torch.nn.Parameter(torch.randn(20) * 100 + 1000)
opt = torch.optim.Adam([w], lr=1e-6)
for i in range(5):
    opt.zero_grad()
    (1e6 * w).sum().backward()
    opt.step()
