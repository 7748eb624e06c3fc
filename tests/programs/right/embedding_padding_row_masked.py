"""Some rows of an embedding stay as they are: their gradients are set to zero before the step."""
import torch
from torch import nn

torch.manual_seed(0)
emb, out = nn.Embedding(6, 3), nn.Linear(3, 6)
optimizer = torch.optim.SGD([*emb.parameters(), *out.parameters()], lr=0.1)
frozen = torch.tensor([0, 3])
for step in range(5):
    words, nxt = torch.randint(0, 6, (8,)), torch.randint(0, 6, (8,))
    loss = nn.functional.cross_entropy(out(emb(words)), nxt)
    optimizer.zero_grad()
    loss.backward()
    emb.weight.grad[frozen] = 0
    emb.weight.grad[1] *= 0.1
    optimizer.step()
    print(step, loss.item())
