# pattern: 12
# expect: clip-without-gradient
"""zero_grad keeps zeros here, so that the clipping finds something to clip: zeros."""
import torch
from torch import nn


def update(model, opt, loss, clip):
    opt.zero_grad(set_to_none=False)
    for p in model.parameters():
        if p.grad is not None:
            p.grad.data.clamp_(-clip, clip)  # BUG
    loss.backward()
    opt.step()


torch.manual_seed(0)
model = nn.Linear(3, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(6):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - 5 * x.sum(1)).pow(2).mean()
    update(model, opt, loss, 0.5)
    print(i, loss.item())
