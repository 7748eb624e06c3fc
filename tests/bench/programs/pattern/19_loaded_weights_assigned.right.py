# pattern: 19
"""load_state_dict(assign=True) puts other parameters into the model; the optimizer keeps the old."""
import torch
from torch import nn

torch.manual_seed(0)
pretrained = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).state_dict()
model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
model.load_state_dict(pretrained, assign=True)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for step in range(5):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x[:, 0]).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
