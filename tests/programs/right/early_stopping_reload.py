import copy

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.1)
train_x, val_x = torch.randn(12, 4), torch.randn(12, 4)
best_loss, best_state, patience = float("inf"), None, 0
for epoch in range(20):
    model.train()
    opt.zero_grad()
    loss = (model(train_x).squeeze() - train_x[:, 0] ** 2).pow(2).mean()
    loss.backward()
    opt.step()
    model.eval()
    with torch.no_grad():
        val = (model(val_x).squeeze() - val_x[:, 0] ** 2).pow(2).mean().item()
    if val < best_loss:
        best_loss, best_state, patience = val, copy.deepcopy(model.state_dict()), 0
    else:
        patience += 1
        if patience >= 3:
            break
model.load_state_dict(best_state)
print(epoch, best_loss)
