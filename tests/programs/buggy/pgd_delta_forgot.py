# expect: stale-gradient @ BUG
import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
net=nn.Linear(4,3).requires_grad_(False)
x=torch.randn(5,4);y=torch.randint(0,3,(5,));delta=torch.zeros_like(x,requires_grad=True)
for k in range(5):
    F.cross_entropy(net(x+delta),y).backward()
    delta.data=(delta+.1*delta.grad.sign()).clamp(-.3,.3)  # BUG
