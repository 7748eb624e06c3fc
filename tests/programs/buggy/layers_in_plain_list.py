# expect: unowned-leaf @ HERE
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(3, 6)
        self.hidden = [nn.Linear(6, 6) for _ in range(2)]
        self.out = nn.Linear(6, 1)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        for layer in self.hidden:
            x = torch.relu(layer(x))
        return self.out(x)


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)  # HERE
for i in range(4):
    x = torch.randn(8, 3)
    optimizer.zero_grad()
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()  # HERE
    optimizer.step()  # HERE
    print(i, loss.item())
