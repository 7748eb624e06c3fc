"""Validation without no_grad: wasteful, but nothing is wrong with the gradients."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.3), nn.Linear(6, 1))
opt = torch.optim.AdamW(model.parameters(), lr=1e-2)
val = torch.randn(10, 4)
for epoch in range(4):
    model.train()
    for x in torch.randn(2, 8, 4):
        opt.zero_grad()
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
    model.eval()
    val_loss = (model(val).squeeze() - val.sum(1)).pow(2).mean()
    print(loss.item(), val_loss.item())
