# expect: stale-gradient @ HERE
import copy

import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
best_model = copy.deepcopy(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for i in range(6):
    best_model.zero_grad()
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    optimizer.step()  # HERE
    print(loss.item())
