import torch

torch.manual_seed(0)


class Optim:
    def __init__(self, named, lr, mu, wd):
        self.named, self.lr, self.mu, self.wd = dict(named), lr, mu, wd
        self.velocity = {}

    def apply(self):
        for name, p in self.named.items():
            d_p = p.grad.data
            if p.dim() > 1:
                d_p = d_p.add(p.data, alpha=self.wd)
            buf = self.velocity.get(name)
            if buf is None:
                buf = self.velocity[name] = torch.clone(d_p)
            else:
                buf.mul_(self.mu).add_(d_p)
            p.data.add_(d_p + self.mu * buf, alpha=-self.lr)


net = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
optim = Optim(net.named_parameters(), 0.01, 0.9, 1e-3)
for i in range(8):
    net.zero_grad()
    x = torch.randn(6, 3)
    loss = (net(x) - x.max(1, keepdim=True).values).pow(2).mean()
    loss.backward()
    optim.apply()
    print(loss.item())
