import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 6), nn.Softplus(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for i in range(5):
    x = torch.randn(8, 3).requires_grad_()
    out = net(x)
    grad_x = torch.autograd.grad(out.sum(), x, create_graph=True)[0]
    loss = (out.squeeze() - x.detach().sum(1)).pow(2).mean() + 0.1 * grad_x.pow(2).sum(1).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
