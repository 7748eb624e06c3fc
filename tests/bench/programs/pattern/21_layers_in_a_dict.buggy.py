# pattern: 21
# expect: unowned-leaf
import torch
from torch import nn


class MultiHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(4, 8)
        self.heads = {"age": nn.Linear(8, 1), "height": nn.Linear(8, 1)}  # BUG

    def forward(self, x):
        h = torch.relu(self.trunk(x))
        return {k: head(h) for k, head in self.heads.items()}


torch.manual_seed(0)
model = MultiHead()
opt = torch.optim.Adam(model.parameters(), lr=0.01)  # BUG
for i in range(5):
    x = torch.randn(8, 4)
    out = model(x)
    loss = (out["age"] - x[:, :1]).abs().mean() + (out["height"] - x[:, 1:2]).abs().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()  # BUG
    print(i, loss.item())
