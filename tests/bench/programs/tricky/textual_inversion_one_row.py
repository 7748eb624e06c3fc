"""Only the new token's embedding learns: the other rows' gradient is zeroed before the step."""

import torch
from torch import nn

torch.manual_seed(0)
text_encoder = nn.Sequential(nn.Embedding(10, 6), nn.Linear(6, 6))
unet = nn.Linear(6, 6)
placeholder = 9
unet.requires_grad_(False)
text_encoder[1].requires_grad_(False)
embedding = text_encoder[0]
optimizer = torch.optim.AdamW(embedding.parameters(), lr=5e-2)
original = embedding.weight.data.clone()
for step in range(5):
    ids = torch.randint(0, 10, (4, 3))
    ids[:, 0] = placeholder
    loss = (unet(text_encoder(ids)) - 1).pow(2).mean()
    loss.backward()
    grads = embedding.weight.grad
    index_grads_to_zero = torch.arange(10) != placeholder
    grads.data[index_grads_to_zero, :] = grads.data[index_grads_to_zero, :].fill_(0)
    optimizer.step()
    optimizer.zero_grad()
    with torch.no_grad():
        embedding.weight[:placeholder] = original[:placeholder]
    print(step, loss.item())
