"""Gradients from autograd.grad, put into .grad by hand, consumed by an optimizer."""
import torch

torch.manual_seed(0)
net = torch.nn.Linear(4, 2)
params = list(net.parameters())
opt = torch.optim.Adam(params, lr=0.05)
for i in range(6):
    loss = net(torch.randn(6, 4)).pow(2).sum()
    grads = torch.autograd.grad(loss, params)
    for p, g in zip(params, grads):
        p.grad = g
    opt.step()
    print(i, loss.item())
