"""An optimizer of one's own that changes the gradient in its step."""
import torch
from torch import nn


class CentredSGD(torch.optim.SGD):
    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None and p.dim() > 1:
                    p.grad.sub_(p.grad.mean(dim=tuple(range(1, p.dim())), keepdim=True))
        return super().step(closure)


torch.manual_seed(0)
net = nn.Sequential(nn.Conv1d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
opt = CentredSGD(net.parameters(), lr=0.05, momentum=0.9)
for i in range(5):
    loss = nn.functional.cross_entropy(net(torch.randn(4, 1, 6)), torch.randint(0, 2, (4,)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
