import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class FGM:
    def __init__(s,model): s.model=model; s.backup={}
    def attack(s,eps=1.,name='emb'):
        for n,p in s.model.named_parameters():
            if p.requires_grad and name in n:
                s.backup[n]=p.data.clone(); norm=torch.norm(p.grad)
                if norm!=0 and not torch.isnan(norm): p.data.add_(eps*p.grad/norm)
    def restore(s,name='emb'):
        for n,p in s.model.named_parameters():
            if p.requires_grad and name in n: p.data=s.backup[n]
        s.backup={}
class Net(nn.Module):
    def __init__(s): super().__init__(); s.emb=nn.Embedding(10,4); s.fc=nn.Linear(4,2)
    def forward(s,x): return s.fc(s.emb(x).mean(1))
model=Net();opt=torch.optim.Adam(model.parameters(),1e-2);fgm=FGM(model)
for i in range(8):
    x=torch.randint(0,10,(6,5));y=torch.randint(0,2,(6,))
    loss=F.cross_entropy(model(x),y); loss.backward()
    fgm.attack()
    F.cross_entropy(model(x),y).backward()
    fgm.restore()
    opt.step(); model.zero_grad()
