"""Each loss reaches back over the last three inputs: the window slides, it does not grow."""
import torch
from torch import nn

torch.manual_seed(0)
fc = nn.Linear(3, 2)
opt = torch.optim.SGD(fc.parameters(), lr=0.01)
recent = []
for t in range(9):
    recent = [*recent[-2:], fc(torch.randn(1, 3))]
    loss = sum(0.9**k * out.sum() for k, out in enumerate(reversed(recent)))
    opt.zero_grad()
    loss.backward(retain_graph=True)
    opt.step()
