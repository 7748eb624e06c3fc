"""f(x) = x**3: a gradient, a doubled gradient, a zeroed one."""
import torch

x = torch.tensor(4.0, requires_grad=True)
f = x**3
f.backward(retain_graph=True)
print(x.grad)
f.backward(retain_graph=True)
print(x.grad)
x.grad.zero_()
f.backward(retain_graph=True)
print(x.grad)
x.grad.zero_()
f.backward()
print(x.grad)
