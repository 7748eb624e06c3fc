# expect: detached-loss @ HERE
"""The loss is made anew from its number, so backward reaches nothing."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
x, y = torch.randn(8, 4), torch.randn(8, 1)
for epoch in range(4):
    optimizer.zero_grad()
    value = torch.nn.functional.mse_loss(model(x), y).item()
    loss = torch.tensor(value, requires_grad=True)
    loss.backward()  # HERE
    optimizer.step()
    print(epoch, loss.item())
