# pretrain step with a reconstruction line and then combined lines, cleared properly at the end of each step
import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(3,3);opt=torch.optim.SGD(net.parameters(),.05)
for i in range(6):
    x=torch.randn(4,3)
    (net(x)-x).pow(2).mean().backward()
    if i==0:
        (net(x).abs().mean()*.1).backward()   # data-dependent init loss in the first round only
    opt.step(); opt.zero_grad()
