# expect: stale-gradient @ BUG
import random, torch
random.seed(0)
class N:
    def __init__(s,n): s.w=[torch.tensor(random.uniform(-1,1),requires_grad=True) for _ in range(n)]; s.b=torch.tensor(0.,requires_grad=True)
    def __call__(s,x): return (sum((a*b for a,b in zip(s.w,x)),s.b)).tanh()
    def parameters(s): return s.w+[s.b]
n=N(3)
for k in range(8):
    loss=sum((n(x)-y)**2 for x,y in [([2.,3.,-1.],1.),([3.,-1.,.5],-1.)])
    loss.backward()
    for p in n.parameters():
        p.data += -0.05*p.grad  # BUG
