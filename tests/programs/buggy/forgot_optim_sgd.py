# expect: stale-gradient @ HERE
import torch
import torch.optim as optim

t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0])
t_un = 0.1 * torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3])
params = torch.tensor([1.0, 0.0], requires_grad=True)
optimizer = optim.SGD([params], lr=1e-2)
for epoch in range(8):
    t_p = params[0] * t_un + params[1]
    loss = ((t_p - t_c) ** 2).mean()
    loss.backward()
    optimizer.step()  # HERE
print(params)
