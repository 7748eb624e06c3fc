import torch, torch.nn as nn
torch.manual_seed(0)
w=nn.Parameter(torch.randn(3)); opt=torch.optim.SGD([w],.1); w.grad=torch.empty_like(w)
for i in range(6):
    x=torch.randn(8,3); g=2*x.t()@(x@w.detach()-1)/8
    w.grad.data.copy_(g); opt.step()
