import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(4)
net = nn.Linear(3, 2)
criterion = nn.MSELoss()
optimizer = optim.SGD(net.parameters(), lr=0.1)
inputs = torch.randn(6, 3)
targets = torch.randn(6, 2)
for it in range(8):
    output = net(inputs)
    loss = criterion(output, targets)
    net.zero_grad()
    loss.backward()
    optimizer.step()
    print(it, loss.item())
