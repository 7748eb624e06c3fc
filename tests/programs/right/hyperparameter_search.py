import itertools

import torch

best = None
for lr, hidden in itertools.product([0.3, 0.03], [2, 6]):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    x = torch.randn(20, 2)
    target = (x[:, :1] * x[:, 1:]).sign()
    for step in range(6):
        optimizer.zero_grad()
        loss = (model(x) - target).pow(2).mean()
        loss.backward()
        optimizer.step()
    print(lr, hidden, loss.item())
    if best is None or loss.item() < best[0]:
        best = (loss.item(), lr, hidden)
print(best)
