# pattern: 27
# expect: detached-loss
"""The loss is wrapped again, as in old code with Variable(loss.data, requires_grad=True)."""
import torch
from torch import nn
from torch.autograd import Variable

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2))
optim = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for epoch in range(4):
    optim.zero_grad()
    output = model(torch.randn(10, 6))
    loss = criterion(output, torch.randint(0, 2, (10,)))
    loss = Variable(loss.data, requires_grad=True)  # BUG
    loss.backward()  # BUG
    optim.step()
    print(epoch, loss.item())
