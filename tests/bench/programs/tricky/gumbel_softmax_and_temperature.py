import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
logits = torch.zeros(4, requires_grad=True)
values = torch.tensor([0.1, 0.9, 0.4, 0.2])
opt = torch.optim.Adam([logits], lr=0.1)
temperature = 2.0
for step in range(10):
    sample = F.gumbel_softmax(logits, tau=temperature, hard=True)
    loss = -(sample * values).sum()
    opt.zero_grad(set_to_none=False)
    loss.backward()
    opt.step()
    temperature = max(0.5, temperature * 0.9)
print(logits)
