# expect: unmoved-parameters @ HERE
"""contiguous() makes a copy of a transposed weight; the update goes into the copy."""
import torch


class Momentum(torch.optim.Optimizer):
    def __init__(self, params, lr, beta=0.9):
        super().__init__(params, dict(lr=lr, beta=beta))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.mul_(group["beta"]).add_(p.grad)
                p.data.contiguous().add_(m, alpha=-group["lr"])


torch.manual_seed(0)
weight = torch.nn.Parameter(torch.randn(4, 3).t())
opt = Momentum([weight], lr=0.05)
for i in range(4):
    x = torch.randn(6, 4)
    opt.zero_grad()
    (x @ weight.t() - 1).pow(2).mean().backward()
    opt.step()  # HERE
