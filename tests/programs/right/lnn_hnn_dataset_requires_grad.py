import torch, torch.nn as nn
torch.manual_seed(0)
class HNN(nn.Module):
    def __init__(s): super().__init__(); s.m=nn.Sequential(nn.Linear(2,8),nn.Tanh(),nn.Linear(8,1))
    def time_derivative(s,x): d=torch.autograd.grad(s.m(x).sum(),x,create_graph=True)[0]; return d@torch.tensor([[0.,-1],[1,0]])
model=HNN();optim=torch.optim.Adam(model.parameters(),1e-3,weight_decay=1e-4)
x=torch.tensor(torch.randn(12,2).tolist(),requires_grad=True,dtype=torch.float32); dxdt=torch.randn(12,2)
for step in range(6):
    loss=(model.time_derivative(x)-dxdt).pow(2).mean(); loss.backward(); optim.step(); optim.zero_grad()
