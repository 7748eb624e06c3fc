import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(3,1);opt=torch.optim.SGD(net.parameters(),.1)
for i in range(6):
    x=torch.randn(4,3); opt.zero_grad(); net(x).pow(2).mean().backward()
    old=[p.detach().clone() for p in net.parameters()]
    with torch.no_grad():
        for p in net.parameters(): p.add_(p.grad,alpha=.05)
    net(x).pow(2).mean().backward()     # sum of both gradients on purpose
    with torch.no_grad():
        for p,o in zip(net.parameters(),old): p.copy_(o)
    opt.step()
