# expect: stale-gradient @ HERE
"""A subclass of torch.optim.Optimizer is stepped; nobody calls its zero_grad."""
import torch


class PlainSGD(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(p.grad, alpha=-group["lr"])


torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
opt = PlainSGD(net.parameters(), 0.01)
for i in range(5):
    loss = net(torch.randn(5, 3)).sub(1).pow(2).mean()
    loss.backward()
    opt.step()  # HERE
    print(loss.item())
