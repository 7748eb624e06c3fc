# pattern: 18
"""BatchNorm is replaced by LayerNorm all over the model, after the optimizer was made."""
import torch
from torch import nn


def replace_norms(module):
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d):
            setattr(module, name, nn.LayerNorm(child.num_features))
        else:
            replace_norms(child)


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)), nn.Linear(8, 2))
replace_norms(model)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(6):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 2, (8,)))
    loss.backward()
    optimizer.step()
    print(step, loss.item())
