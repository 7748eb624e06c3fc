"""backward(create_graph=True), then a second backward through the gradient."""
import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
y = (x**3).sum()
(g,) = torch.autograd.grad(y, x, create_graph=True)
g.dot(torch.tensor([1.0, 1.0])).backward()
print(g, x.grad)
