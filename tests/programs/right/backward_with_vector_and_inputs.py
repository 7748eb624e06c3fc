import torch

torch.manual_seed(0)
a = torch.randn(3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
y = a * b.exp()
y.backward(torch.tensor([1.0, 0.1, 0.01]), retain_graph=True)
print(a.grad, b.grad)
a.grad = b.grad = None
y.sum().backward(inputs=[a])
print(a.grad, b.grad)
