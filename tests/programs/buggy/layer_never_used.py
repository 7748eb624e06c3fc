# expect: unreached-leaf @ HERE
"""The forward skips a layer that the optimizer owns."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(3, 6)
        self.fc2 = nn.Linear(6, 6)
        self.fc3 = nn.Linear(6, 1)

    def forward(self, x):
        h = torch.relu(self.fc1(x))
        torch.relu(self.fc2(h))
        return self.fc3(h)


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
for i in range(4):
    x = torch.randn(8, 3)
    optimizer.zero_grad()
    loss = (net(x).squeeze() - x[:, 0]).pow(2).mean()
    loss.backward()  # HERE
    optimizer.step()  # HERE
    print(i, loss.item())
