# expect: exhausted-generator @ BUG
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
params = model.parameters()
optimizer = torch.optim.SGD(params, lr=0.1)
for i in range(5):
    x = torch.randn(8, 3)
    loss = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(params, 0.1)  # BUG
    optimizer.step()
    print(i, loss.item())
