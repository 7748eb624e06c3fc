# pattern: 39
# expect: stale-gradient
"""Style transfer's optimizer; zero_grad stands before step, where it runs once instead of 20 times."""
import torch
from torch import nn

torch.manual_seed(0)
features = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()).requires_grad_(False)
target = features(torch.randn(1, 1, 6, 6))
image = torch.rand(1, 1, 6, 6).requires_grad_()
optimizer = torch.optim.LBFGS([image], max_iter=6)
for run in range(3):
    optimizer.zero_grad()

    def closure():
        loss = nn.functional.mse_loss(features(image), target, reduction="sum")
        loss.backward()
        return loss

    print(run, optimizer.step(closure).item())  # BUG
