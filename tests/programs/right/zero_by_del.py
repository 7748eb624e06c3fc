import torch

torch.manual_seed(0)
w = torch.randn(4, requires_grad=True)
for i in range(6):
    loss = (w * torch.arange(4.0)).sum().sub(3).pow(2)
    loss.backward()
    w.data.sub_(0.01 * w.grad)
    del w.grad
    print(loss.item())
