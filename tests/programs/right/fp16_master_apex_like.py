import torch, torch.nn as nn
torch.manual_seed(0)
m=nn.Linear(4,1).to(torch.bfloat16); master=[p.detach().clone().float() for p in m.parameters()]
for p in master: p.requires_grad=True
opt=torch.optim.SGD(master,.05); S=128.
for i in range(10):
    x=torch.randn(8,4).bfloat16(); m.zero_grad(); (S*(m(x)-1).float().pow(2).mean()).backward()
    for a,b in zip(master,m.parameters()):
        if a.grad is None: a.grad=torch.empty_like(a)
        a.grad.data.copy_(b.grad.data); a.grad.data.mul_(1/S)
    opt.step()
    for a,b in zip(master,m.parameters()): b.data.copy_(a.data)
