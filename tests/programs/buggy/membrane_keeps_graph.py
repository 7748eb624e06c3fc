# expect: growing-graph @ BUG
"""A leaky integrator whose state is carried over with its graph, silenced by retain_graph."""
import torch
from torch import nn

torch.manual_seed(0)
fc = nn.Linear(3, 2)
optimizer = torch.optim.SGD(fc.parameters(), lr=0.01)
membrane = torch.zeros(1, 2)
for t in range(8):
    membrane = 0.9 * membrane + fc(torch.randn(1, 3))
    loss = (membrane - 1).sum()
    optimizer.zero_grad()
    loss.backward(retain_graph=True)  # BUG
    optimizer.step()
    print(t, loss.item())
