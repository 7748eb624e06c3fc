# expect: stale-gradient @ HERE
"""Windows of four, stepped, never zeroed."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
accumulation_steps = 4
for i in range(12):
    x = torch.randn(3, 5)
    loss = torch.nn.functional.mse_loss(model(x), x[:, :1]) / accumulation_steps
    loss.backward()
    if (i + 1) % accumulation_steps == 0:
        optimizer.step()  # HERE
        print(i, loss.item())
