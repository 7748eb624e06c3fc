# pattern: 5
# expect: cleared-before-step | step-without-gradient
"""Two optimizers, one loss; the second one's gradients are cleared before it steps."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(5, 6), nn.Linear(6, 1)
opt_body = torch.optim.SGD(body.parameters(), lr=0.01)
opt_head = torch.optim.SGD(head.parameters(), lr=0.1)
model = nn.Sequential(body, nn.Tanh(), head)
for it in range(6):
    x = torch.randn(8, 5)
    loss = (model(x) - x[:, :1]).pow(2).mean()
    loss.backward()
    opt_body.step()
    model.zero_grad()  # BUG
    opt_head.step()
    print(it, loss.item())
