# expect: cleared-before-step | step-without-gradient @ HERE
"""zero_grad, step, backward: every gradient is thrown away by the next round's zero_grad."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 4), torch.randn(8, 1)
for epoch in range(5):
    optimizer.zero_grad()  # HERE
    optimizer.step()  # HERE
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    print(epoch, loss.item())
