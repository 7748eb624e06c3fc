# pattern: 23
# expect: module-not-frozen
"""Transfer learning; the loop goes over layers where it should go over parameters."""
# %%
import torch
from torch import nn

torch.manual_seed(0)
pretrained = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Conv2d(3, 4, 3), nn.Flatten())
head = nn.Linear(4 * 2 * 2, 2)
# %%
for layer in pretrained.children():
    layer.requires_grad = False  # BUG
model = nn.Sequential(pretrained, head)
# %%
opt = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(4):
    loss = nn.functional.cross_entropy(model(torch.randn(6, 1, 6, 6)), torch.randint(0, 2, (6,)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
