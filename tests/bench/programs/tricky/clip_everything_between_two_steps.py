"""Each optimizer's part is clipped right before its own step; the second clip sees both parts."""
import torch
from torch import nn

torch.manual_seed(0)
body, head = nn.Linear(4, 6), nn.Linear(6, 1)
model = nn.Sequential(body, nn.Tanh(), head)
opt_body, opt_head = torch.optim.SGD(body.parameters(), 0.01), torch.optim.SGD(head.parameters(), 0.1)
for i in range(5):
    x = torch.randn(8, 4)
    loss = (model(x).squeeze() - 3 * x[:, 0]).pow(2).mean()
    model.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(body.parameters(), 0.5)
    opt_body.step()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    opt_head.step()
    print(loss.item())
