from dataclasses import dataclass, field

import torch


@dataclass
class Adagrad:
    params: list
    lr: float = 0.1
    cache: list = field(default_factory=list)

    def __post_init__(self):
        self.cache = [torch.zeros_like(p) for p in self.params]

    def __call__(self, loss):
        for p in self.params:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p, c in zip(self.params, self.cache):
                c += p.grad**2
                p.addcdiv_(p.grad, c.sqrt().add_(1e-10), value=-self.lr)


torch.manual_seed(0)
A = torch.randn(3, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
update = Adagrad([A, b])
for _ in range(6):
    x = torch.randn(8, 3)
    loss = (x @ A + b - x.flip(1)).pow(2).mean()
    update(loss)
    print(loss.item())
