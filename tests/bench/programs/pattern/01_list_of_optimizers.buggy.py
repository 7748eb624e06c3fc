# pattern: 1
# expect: stale-gradient
"""One optimizer for each layer; the comprehension that should clear them is never consumed."""
import torch
from torch import nn

torch.manual_seed(0)
layers = [nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 1)]
opts = [torch.optim.Adam(layer.parameters(), lr=1e-2 / (i + 1)) for i, layer in enumerate(layers)]
net = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
for step in range(6):
    x = torch.randn(8, 4)
    (o.zero_grad() for o in opts)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    for o in opts:
        o.step()  # BUG
    print(step, loss.item())
