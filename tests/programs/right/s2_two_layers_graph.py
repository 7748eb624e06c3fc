"""Two layers from matrix products and additions; only variables get gradients."""
import torch

torch.manual_seed(2)
x = torch.randn(5, 3)
w1 = torch.randn(3, 4, requires_grad=True)
b1 = torch.zeros(4, requires_grad=True)
w2 = torch.randn(4, 2, requires_grad=True)
b2 = torch.zeros(2, requires_grad=True)
hidden = torch.sigmoid(torch.mm(x, w1) + b1)
out = torch.sigmoid(torch.mm(hidden, w2) + b2)
loss = out.sum()
loss.backward()
for t in (w1, b1, w2, b2):
    print(t.grad.shape, t.grad.norm().item())
