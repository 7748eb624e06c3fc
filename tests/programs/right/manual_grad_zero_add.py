import torch, torch.nn as nn
torch.manual_seed(0)
w=nn.Parameter(torch.randn(3)); opt=torch.optim.SGD([w],.1); w.grad=torch.zeros_like(w)
for i in range(6):
    opt.zero_grad(set_to_none=False)
    for k in range(2): x=torch.randn(8,3); w.grad += x.t()@(x@w.detach()-1)/8
    opt.step()
