# pattern: 41
"""Two networks, two losses, and the same loss is back-propagated twice over."""
import torch
from torch import nn

torch.manual_seed(0)
forward_model, inverse_model = nn.Linear(4, 4), nn.Linear(4, 2)
opt_f = torch.optim.Adam(forward_model.parameters(), lr=1e-2)
opt_i = torch.optim.Adam(inverse_model.parameters(), lr=1e-2)
for step in range(5):
    s, a = torch.randn(8, 4), torch.randn(8, 2)
    loss_f = (forward_model(s) - s.roll(1, 1)).pow(2).mean()
    loss_i = (inverse_model(s) - a).pow(2).mean()
    opt_f.zero_grad()
    loss_f.backward(retain_graph=True)
    opt_f.step()
    opt_i.zero_grad()
    loss_i.backward()
    opt_i.step()
    print(step, loss_f.item(), loss_i.item())
