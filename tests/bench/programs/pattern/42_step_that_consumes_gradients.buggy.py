# pattern: 42
# expect: step-without-gradient | cleared-before-step
"""An optimizer drops each gradient as it uses it; a second one over the same parameters finds none."""
import torch
from torch import nn


class Consuming(torch.optim.Optimizer):
    def __init__(self, params, lr=0.05, consume_grad=True):
        super().__init__(params, dict(lr=lr, consume_grad=consume_grad))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                p.add_(p.grad, alpha=-group["lr"])
                if group["consume_grad"]:
                    p.grad = None


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1))
fast = Consuming(model.parameters())
slow = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.99)
for it in range(6):
    x = torch.randn(8, 4)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    fast.step()
    slow.step()  # BUG
    slow.zero_grad()
    print(it, loss.item())
