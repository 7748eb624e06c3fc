# expect: stale-gradient @ BUG
import torch
torch.manual_seed(0)
w=torch.randn(3,requires_grad=True);X=torch.randn(20,3);Y=X.sum(1)
for i in range(8):
    ((X@w-Y)**2).mean().backward()  # BUG
    with torch.no_grad():
        torch.sub(w, .05*w.grad, out=w)  # BUG
