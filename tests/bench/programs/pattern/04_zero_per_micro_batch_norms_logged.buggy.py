# pattern: 4
# expect: discarded-contribution
"""The norm of every gradient is logged; the gradients of three batches in four are thrown away."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(5, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
norms, largest = [], {}
for step in range(6):
    for micro in range(4):
        optimizer.zero_grad()  # BUG
        loss = model(torch.randn(8, 5)).pow(2).mean() / 4
        loss.backward()
        norm = torch.norm(torch.stack([p.grad.norm() for p in model.parameters()]))
        norms.append(norm.item())
        for name, p in model.named_parameters():
            largest[name] = p.grad.abs().max()
    optimizer.step()
print(sum(norms) / len(norms), largest)
