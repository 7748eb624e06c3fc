import torch, torch.nn as nn
torch.manual_seed(0)
src=nn.Linear(3,1);dst=nn.Linear(3,1);opt=torch.optim.Adam(dst.parameters())
for p in dst.parameters(): p.grad=torch.zeros_like(p)
for i in range(6):
    src.load_state_dict(dst.state_dict()); src.zero_grad(); src(torch.randn(4,3)).pow(2).mean().backward()
    for d,s in zip(dst.parameters(),src.parameters()): d.grad[:]=s.grad
    opt.step()
