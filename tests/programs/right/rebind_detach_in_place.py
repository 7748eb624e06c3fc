import torch

v = torch.ones(3, requires_grad=True)
for _ in range(5):
    (v * v).sum().backward()
    with torch.no_grad():
        v = v - 0.1 * v.grad
    v.requires_grad = True
    print(v.data)
