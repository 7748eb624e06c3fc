# pattern: 45
# expect: vanishing-gradient
"""Ten sigmoid layers with small weights: the first one gets a millionth of the last one's gradient."""
import torch
from torch import nn

torch.manual_seed(0)
layers = []
for i in range(10):
    linear = nn.Linear(8, 8)
    nn.init.normal_(linear.weight, std=0.1)
    layers += [linear, nn.Sigmoid()]
model = nn.Sequential(*layers, nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(6):
    x, y = torch.randn(16, 8), torch.randint(0, 2, (16,))
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()  # BUG
    optimizer.step()
    print(step, loss.item(), model[0].weight.grad.norm().item())
