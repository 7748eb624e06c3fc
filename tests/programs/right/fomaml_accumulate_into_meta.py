import copy, torch, torch.nn as nn
torch.manual_seed(0)
meta=nn.Linear(2,1); mo=torch.optim.SGD(meta.parameters(),.01)
for it in range(6):
    mo.zero_grad()
    for task in range(3):
        fast=copy.deepcopy(meta); io=torch.optim.SGD(fast.parameters(),.1)
        for _ in range(2):
            io.zero_grad(); x=torch.randn(5,2); (fast(x)-task).pow(2).mean().backward(); io.step()
        io.zero_grad(); x=torch.randn(5,2); (fast(x)-task).pow(2).mean().backward()
        for p,fp in zip(meta.parameters(),fast.parameters()):
            if p.grad is None: p.grad=torch.zeros_like(p)
            p.grad.add_(fp.grad.data/3)
    mo.step()
