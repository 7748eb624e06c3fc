"""The same fit; each round makes a new Variable, so nothing needs zeroing."""
import torch
from torch.autograd import Variable

x = Variable(torch.Tensor([2.0]))
y = Variable(torch.Tensor([10.0]))
w = Variable(torch.Tensor([-2.0593]), requires_grad=True)

for i in range(30):
    loss = torch.mean((w * x - y) ** 2)
    loss.backward()
    w = Variable(w - 0.1 * w.grad.data, requires_grad=True)
    print("%.4f" % w.data[0])
