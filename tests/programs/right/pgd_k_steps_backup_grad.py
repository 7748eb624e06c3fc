import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
class PGD:
    def __init__(s,m): s.model=m; s.eb={}; s.gb={}
    def attack(s,eps=1.,alpha=.3,first=False):
        for n,p in s.model.named_parameters():
            if 'emb' in n:
                if first: s.eb[n]=p.data.clone()
                norm=torch.norm(p.grad)
                if norm!=0:
                    p.data.add_(alpha*p.grad/norm); r=p.data-s.eb[n]
                    if torch.norm(r)>eps: r=eps*r/torch.norm(r)
                    p.data=s.eb[n]+r
    def restore(s):
        for n,p in s.model.named_parameters():
            if n in s.eb: p.data=s.eb[n]
        s.eb={}
    def backup_grad(s):
        for n,p in s.model.named_parameters(): s.gb[n]=p.grad.clone()
    def restore_grad(s):
        for n,p in s.model.named_parameters(): p.grad=s.gb[n]
class Net(nn.Module):
    def __init__(s): super().__init__(); s.emb=nn.Embedding(10,4); s.fc=nn.Linear(4,2)
    def forward(s,x): return s.fc(s.emb(x).mean(1))
model=Net();opt=torch.optim.Adam(model.parameters(),1e-2);pgd=PGD(model);K=3
for i in range(8):
    x=torch.randint(0,10,(6,5));y=torch.randint(0,2,(6,))
    loss=F.cross_entropy(model(x),y); loss.backward()
    pgd.backup_grad()
    for t in range(K):
        pgd.attack(first=t==0)
        if t!=K-1: model.zero_grad()
        else: pgd.restore_grad()
        F.cross_entropy(model(x),y).backward()
    pgd.restore(); opt.step(); model.zero_grad()
