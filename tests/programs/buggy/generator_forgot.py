# expect: stale-gradient @ BUG
import torch, torch.nn as nn
torch.manual_seed(0)
def trainer(m,opt):
    while True:
        x=yield
        m(x).pow(2).mean().backward(); opt.step()  # BUG
m=nn.Linear(3,1);t=trainer(m,torch.optim.SGD(m.parameters(),.1));next(t)
for i in range(5): t.send(torch.randn(4,3))
