import torch

params = torch.tensor([1.0, 0.0], requires_grad=True)
params.sum().backward()
print(params.grad)
params.sum().backward()
print(params.grad)
if params.grad is not None:
    params.grad.zero_()
print(params.grad)
