"""ReZero and LoRA start with zeros: half of the parameters get gradients of exactly zero at first."""
import torch
from torch import nn


class ReZero(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.lin, self.alpha = nn.Linear(dim, dim), nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x + self.alpha * torch.relu(self.lin(x))


torch.manual_seed(0)
net = nn.Sequential(*[ReZero(5) for _ in range(4)], nn.Linear(5, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(5):
    x = torch.randn(8, 5)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
