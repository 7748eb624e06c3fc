import torch, torch.nn as nn
torch.manual_seed(0)
net=nn.Conv2d(1,2,3); img=torch.rand(1,1,6,6,requires_grad=True)
for i in range(6):
    net(img)[0,1].mean().backward(); img.data+=.1*img.grad/(img.grad.std()+1e-8); img.grad.data.zero_(); net.zero_grad()
