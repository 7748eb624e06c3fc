import torch
from torch import nn

torch.manual_seed(0)
emb, encoder, head = nn.Embedding(9, 8), nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), nn.Linear(8, 2)
prompt = nn.Parameter(torch.randn(2, 8) * 0.1)
opt = torch.optim.AdamW([prompt], lr=0.1)
for step in range(4):
    ids, y = torch.randint(0, 9, (4, 5)), torch.randint(0, 2, (4,))
    h = torch.cat([prompt.expand(4, -1, -1), emb(ids)], 1)
    loss = nn.functional.cross_entropy(head(encoder(h)[:, 0]), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
