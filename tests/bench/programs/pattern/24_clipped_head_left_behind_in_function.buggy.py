# pattern: 24
# expect: reused-gradient
"""The step lives in a function, with clipping; the critic head is not in the later losses."""
import torch
from torch import nn


def step(loss, used):
    for m in used:
        m.zero_grad(set_to_none=False)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()  # BUG


torch.manual_seed(0)
model = nn.ModuleDict({"body": nn.Linear(3, 5), "pi": nn.Linear(5, 2), "v": nn.Linear(5, 1)})
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2)
for it in range(9):
    x = torch.randn(8, 3)
    h = torch.tanh(model["body"](x))
    loss = nn.functional.cross_entropy(model["pi"](h), (x[:, 0] > 0).long())
    used = [model["body"], model["pi"]]
    if it < 3:
        loss = loss + (model["v"](h).squeeze() - x.sum(1)).pow(2).mean()
        used.append(model["v"])
    step(loss, used)
    print(it, loss.item(), model["v"].weight.sum().item())
