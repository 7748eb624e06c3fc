import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(4,1); opt=torch.optim.Adam(net.parameters(),1e-2)
def total_norm(ps): 
    t=0
    for p in ps: t+=p.grad.detach().data.norm(2).item()**2
    return t**.5
for i in range(8):
    x=torch.randn(6,4); opt.zero_grad(); (net(x)-1).pow(2).mean().backward(); opt.step()
    print(total_norm(net.parameters()), nn.utils.clip_grad_norm_(net.parameters(), float('inf')).item())
