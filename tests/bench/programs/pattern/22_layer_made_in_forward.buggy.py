# pattern: 22
# expect: unowned-leaf
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3)

    def forward(self, x):
        x = torch.relu(self.conv(x)).flatten(1)
        return nn.Linear(x.shape[1], 3)(x)  # BUG


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)  # BUG
for epoch in range(5):
    inputs, labels = torch.randn(6, 2, 8), torch.randint(0, 3, (6,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(inputs), labels)
    loss.backward()
    optimizer.step()  # BUG
    print(epoch, loss.item())
