"""Loss and gradient grow, because that is wanted."""
import torch

torch.manual_seed(0)
image = torch.randn(4, requires_grad=True)
opt = torch.optim.SGD([image], lr=0.2, maximize=True)
for i in range(15):
    opt.zero_grad()
    image.pow(2).sum().backward()
    opt.step()
