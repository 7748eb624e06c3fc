"""A hand-made optimizer class that is no torch.optim.Optimizer; it owns step and zero_grad."""
import torch


class MyRMSprop:
    def __init__(self, params, lr=0.01, alpha=0.9, eps=1e-8):
        self.params = list(params)
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.sq = [torch.zeros_like(p) for p in self.params]

    def step(self):
        with torch.no_grad():
            for i, p in enumerate(self.params):
                if p.grad is None:
                    continue
                self.sq[i].mul_(self.alpha).addcmul_(p.grad, p.grad, value=1 - self.alpha)
                p.addcdiv_(p.grad, self.sq[i].sqrt().add_(self.eps), value=-self.lr)

    def zero_grad(self):
        for p in self.params:
            if p.grad is not None:
                p.grad.detach_()
                p.grad.zero_()


torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
optim = MyRMSprop(model.parameters())
for i in range(10):
    x = torch.randn(8, 3)
    loss = (model(x).squeeze() - x.norm(dim=1)).pow(2).mean()
    optim.zero_grad()
    loss.backward()
    optim.step()
print(loss.item())
