import torch
from torch import nn


class MyBatchNorm(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(n))
        self.beta = nn.Parameter(torch.zeros(n))
        self.moving_mean = torch.zeros(n)
        self.moving_var = torch.ones(n)

    def forward(self, X):
        if not torch.is_grad_enabled():
            X_hat = (X - self.moving_mean) / torch.sqrt(self.moving_var + 1e-5)
        else:
            mean, var = X.mean(0), ((X - X.mean(0)) ** 2).mean(0)
            X_hat = (X - mean) / torch.sqrt(var + 1e-5)
            self.moving_mean = (0.9 * self.moving_mean + 0.1 * mean).data
            self.moving_var = (0.9 * self.moving_var + 0.1 * var).data
        return self.gamma * X_hat + self.beta


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 6), MyBatchNorm(6), nn.Sigmoid(), nn.Linear(6, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.3)
for i in range(6):
    X = torch.randn(16, 4)
    opt.zero_grad()
    loss = (net(X).squeeze() - X.mean(1)).pow(2).mean()
    loss.backward()
    opt.step()
    print(loss.item())
with torch.no_grad():
    print(net(torch.ones(1, 4)))
