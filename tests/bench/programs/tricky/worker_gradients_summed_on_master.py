"""Three replicas compute gradients; the master's .grad is their mean, and the weights are sent back."""
import copy

import torch
from torch import nn

torch.manual_seed(0)
master = nn.Linear(4, 1)
workers = [copy.deepcopy(master) for _ in range(3)]
opt = torch.optim.Adam(master.parameters(), lr=0.02)
for it in range(5):
    for worker in workers:
        worker.load_state_dict(master.state_dict())
        worker.zero_grad()
        x = torch.randn(8, 4)
        (worker(x).squeeze() - x.sum(1)).pow(2).mean().backward()
    for p, *copies in zip(master.parameters(), *(w.parameters() for w in workers)):
        p.grad = torch.stack([c.grad for c in copies]).mean(0)
    opt.step()
    print(it, master.weight.tolist())
