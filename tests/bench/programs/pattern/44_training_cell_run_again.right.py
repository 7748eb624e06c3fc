# pattern: 44
# runs: 1 2 2
"""zero_grad at the end of the loop, but the last round breaks before it; then the cell is run again."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
x = torch.randn(16, 4)
y = x.sum(1, keepdim=True)
# %%
for epoch in range(5):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(epoch, loss.item())
    if epoch == 4:
        break
    optimizer.zero_grad()
