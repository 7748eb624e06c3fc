# expect: stale-gradient @ BUG
import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Linear(3,1);opt=torch.optim.Adam(net.parameters(),1e-3)
for i in range(12):
    net(torch.randn(4,3)).pow(2).mean().backward()
    opt.step()  # BUG
    if i%5==0: print(i); opt.zero_grad()
