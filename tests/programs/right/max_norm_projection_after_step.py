import torch
from torch import nn

torch.manual_seed(0)
emb = nn.Embedding(7, 3)
opt = torch.optim.SGD(emb.parameters(), lr=0.5)
for i in range(6):
    h, t = torch.randint(7, (5,)), torch.randint(7, (5,))
    loss = torch.relu(1 - (emb(h) - emb(t)).norm(dim=1)).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        emb.weight /= emb.weight.norm(dim=1, keepdim=True)
    print(loss.item())
