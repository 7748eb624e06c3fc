"""An optimizer that takes what is not finite out of the gradient by itself."""

import torch


class Careful(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for p in self.param_groups[0]["params"]:
            p -= self.param_groups[0]["lr"] * torch.nan_to_num(p.grad, 0.0, 0.0, 0.0)


torch.manual_seed(0)
w = torch.tensor([1.0, 2.0, 0.0], requires_grad=True)
opt = Careful([w], lr=0.05)
for i in range(5):
    opt.zero_grad()
    loss = (w.abs().sqrt() - 0.5).pow(2).sum()
    loss.backward()
    opt.step()
    print(i, w.tolist())
