import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(3,1); opt=torch.optim.SGD(net.parameters(),.1)
for p in net.parameters(): p.grad=torch.zeros_like(p)
for i in range(6):
    for p in net.parameters(): p.grad.zero_()
    for k in range(3):
        gs=torch.autograd.grad(net(torch.randn(4,3)).pow(2).mean(),net.parameters())
        for p,g in zip(net.parameters(),gs): p.grad.add_(g,alpha=1/3)
    opt.step()
