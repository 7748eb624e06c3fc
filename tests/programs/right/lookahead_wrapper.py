"""Lookahead: an optimizer around an optimizer; the hooks of both fire."""
import torch
from torch.optim import Optimizer


class Lookahead(Optimizer):
    def __init__(self, base, k=3, alpha=0.5):
        self.base, self.k, self.alpha = base, k, alpha
        self.counter = 0
        super().__init__(base.param_groups, {})
        self.slow = [[p.detach().clone() for p in g["params"]] for g in self.param_groups]

    def step(self, closure=None):
        loss = self.base.step(closure)
        self.counter += 1
        if self.counter % self.k == 0:
            with torch.no_grad():
                for group, slow in zip(self.param_groups, self.slow):
                    for p, q in zip(group["params"], slow):
                        q.add_(p - q, alpha=self.alpha)
                        p.copy_(q)
        return loss

    def zero_grad(self, set_to_none=True):
        self.base.zero_grad(set_to_none)


torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
opt = Lookahead(torch.optim.Adam(net.parameters(), lr=0.1))
for i in range(9):
    x = torch.randn(10, 3)
    loss = (net(x).squeeze() - x @ torch.tensor([1.0, 2.0, 3.0])).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
