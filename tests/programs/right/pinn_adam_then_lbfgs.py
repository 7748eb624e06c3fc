import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Sequential(nn.Linear(1,8),nn.Tanh(),nn.Linear(8,1))
x=torch.linspace(0,1,20)[:,None]; x.requires_grad=True
class PINN:
    def __init__(s): s.it=0; s.lbfgs=torch.optim.LBFGS(net.parameters(),max_iter=12,history_size=5,line_search_fn='strong_wolfe'); s.adam=torch.optim.Adam(net.parameters(),1e-2)
    def loss_func(s):
        s.adam.zero_grad(); s.lbfgs.zero_grad()
        u=net(x); ux=torch.autograd.grad(u,x,torch.ones_like(u),create_graph=True,retain_graph=True)[0]
        l=(ux-u).pow(2).mean()+(net(torch.zeros(1,1))-1).pow(2).mean(); l.backward(); s.it+=1; return l
    def train(s):
        for i in range(8): s.adam.step(s.loss_func)
        s.lbfgs.step(s.loss_func)
p=PINN(); p.train()
