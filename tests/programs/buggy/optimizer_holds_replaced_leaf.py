# expect: stale-optimizer @ HERE
"""params is bound to a new leaf after the optimizer was made."""
import torch

t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3]) * 0.1
t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0])
params = torch.tensor([1.0, 0.0], requires_grad=True)
optimizer = torch.optim.SGD([params], lr=1e-2)
params = torch.tensor([1.0, 0.0], requires_grad=True)  # HERE
for epoch in range(5):
    loss = ((params[0] * t_u + params[1] - t_c) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # HERE
    print(epoch, loss.item())
