# pattern: 21
# expect: unowned-leaf
"""Residual blocks in a tuple; model, optimizer and loop are in cells of their own."""
# %%
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.out = nn.Linear(4, 6), nn.Linear(6, 2)
        self.blocks = (nn.Linear(6, 6), nn.Linear(6, 6))  # BUG

    def forward(self, x):
        h = self.inp(x)
        for block in self.blocks:
            h = h + torch.relu(block(h))
        return self.out(h)


# %%
torch.manual_seed(0)
model = Net()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
# %%
for i in range(5):
    x = torch.randn(8, 4)
    opt.zero_grad()
    loss = nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long())
    loss.backward()
    opt.step()  # BUG
    print(i, loss.item())
