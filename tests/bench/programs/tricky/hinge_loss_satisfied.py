"""Once every margin is kept, the hinge loss is flat: gradients of exactly zero are right."""
import torch

torch.manual_seed(0)
x = torch.cat([torch.randn(10, 2) + 4, torch.randn(10, 2) - 4])
y = torch.cat([torch.ones(10), -torch.ones(10)])
w, b = torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.1)
for epoch in range(15):
    opt.zero_grad()
    loss = (1 - y * (x @ w + b)).clamp(min=0).mean()
    loss.backward()
    opt.step()
print(loss.item(), w)
