"""Projected descent in an optimizer of one's own: a tensor stays at its bound."""

import torch


class ProjectedSGD(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(p.grad, alpha=-group["lr"]).clamp_(0, 1)


torch.manual_seed(0)
gain = torch.ones(3, requires_grad=True)
offset = torch.full((3,), 0.5, requires_grad=True)
opt = ProjectedSGD([gain, offset], lr=0.1)
for i in range(6):
    x = torch.rand(20, 3)
    loss = (gain * x + offset - (3 * x + 0.2)).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item(), gain.tolist())
