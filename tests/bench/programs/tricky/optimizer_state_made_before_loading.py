"""A step with gradients of zero makes the optimizer's state, so that a checkpoint fits in."""

# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 2)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
# %%
for p in model.parameters():
    p.grad = torch.zeros_like(p)
optimizer.step()
optimizer.zero_grad(set_to_none=True)
saved = {k: v for k, v in optimizer.state_dict().items()}
optimizer.load_state_dict(saved)
# %%
for i in range(3):
    x = torch.randn(8, 4)
    loss = nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    print(loss.item())
