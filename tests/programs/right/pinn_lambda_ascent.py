import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Sequential(nn.Linear(1,8),nn.Tanh(),nn.Linear(8,1)); lam=nn.Parameter(torch.ones(1))
opt=torch.optim.Adam(net.parameters(),1e-2); ol=torch.optim.Adam([lam],1e-2,maximize=True)
x=torch.linspace(0,1,20)[:,None].requires_grad_(True)
for i in range(10):
    opt.zero_grad(); ol.zero_grad()
    u=net(x); ux=torch.autograd.grad(u.sum(),x,create_graph=True)[0]; uxx=torch.autograd.grad(ux.sum(),x,create_graph=True)[0]
    loss=(uxx+u).pow(2).mean()+lam*net(torch.zeros(1,1)).pow(2).mean()
    loss.backward(); opt.step(); ol.step()
