# expect: leftover-before-first-step @ HERE
"""A warm-up backward before the loop; the loop zeroes only at its end."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
x, y = torch.randn(8, 4), torch.randn(8, 1)
warm = torch.nn.functional.mse_loss(model(x), y)
warm.backward()
print("warm-up", warm.item())
for step in range(6):
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    opt.step()  # HERE
    opt.zero_grad()
    print(step, loss.item())
