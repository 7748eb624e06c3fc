# expect: reused-gradient @ HERE
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(8, 4), torch.randn(8, 1)
loss = torch.nn.functional.mse_loss(model(x), y)
loss.backward()
for step in range(8):
    optimizer.step()  # HERE
    with torch.no_grad():
        print(step, torch.nn.functional.mse_loss(model(x), y).item())
