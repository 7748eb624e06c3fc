import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(3,1);opt=torch.optim.Adam(net.parameters()); X=torch.randn(16,3,requires_grad=True); Y=X.detach().sum(1,keepdim=True)
for i in range(6):
    opt.zero_grad(); (net(X)-Y).pow(2).mean().backward(); opt.step()
