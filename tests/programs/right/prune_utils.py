import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)
layer = nn.Linear(6, 4)
prune.l1_unstructured(layer, "weight", amount=0.5)
opt = torch.optim.SGD(layer.parameters(), lr=0.1)
for i in range(5):
    opt.zero_grad()
    loss = layer(torch.randn(7, 6)).pow(2).mean()
    loss.backward()
    opt.step()
prune.remove(layer, "weight")
print(loss.item(), (layer.weight == 0).sum().item())
