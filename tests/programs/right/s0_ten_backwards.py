"""Fit y = 5x with one weight: ten backward passes and nothing else."""
import torch
from torch.autograd import Variable

x = Variable(torch.Tensor([2.0]))
y = Variable(torch.Tensor([10.0]))
w = Variable(torch.Tensor([-0.8820]), requires_grad=True)


def mse(prediction, target):
    return ((prediction - target) ** 2).mean()


for i in range(10):
    loss = mse(w * x, y)
    loss.backward()
    analytic = -2 * x * (y - w * x)
    print(i, w.grad.data.numpy(), analytic.data.numpy())
