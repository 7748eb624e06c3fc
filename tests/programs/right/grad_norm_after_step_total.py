import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(3,1);opt=torch.optim.SGD(net.parameters(),.1)
for i in range(6):
    opt.zero_grad(); net(torch.randn(4,3)).pow(2).mean().backward(); opt.step()
    gn=nn.utils.clip_grad_norm_(net.parameters(),1e9)
