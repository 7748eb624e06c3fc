# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
emb = torch.nn.Embedding(6, 3, sparse=True)
opt = torch.optim.SparseAdam(emb.parameters(), lr=0.05)
for i in range(4):
    loss = emb(torch.randint(0, 6, (4,))).pow(2).sum()
    loss.backward()
    opt.step()  # HERE
    print(loss.item())
