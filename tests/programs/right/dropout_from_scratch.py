import torch
from torch import nn


def dropout_layer(X, dropout):
    if dropout == 1:
        return torch.zeros_like(X)
    mask = (torch.rand(X.shape) > dropout).float()
    return mask * X / (1.0 - dropout)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1, self.lin2 = nn.Linear(8, 16), nn.Linear(16, 3)
        self.relu = nn.ReLU()

    def forward(self, X):
        H1 = self.relu(self.lin1(X))
        if self.training:
            H1 = dropout_layer(H1, 0.4)
        return self.lin2(H1)


torch.manual_seed(0)
net = Net()
trainer = torch.optim.SGD(net.parameters(), lr=0.2)
loss = nn.CrossEntropyLoss(reduction="none")
X, y = torch.randn(24, 8), torch.randint(0, 3, (24,))
for epoch in range(5):
    l = loss(net(X), y)
    trainer.zero_grad()
    l.mean().backward()
    trainer.step()
    print(epoch, l.mean().item())
