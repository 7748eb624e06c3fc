"""A fixed point found without gradient; a hook on it solves for the gradient of the implicit layer."""

import torch
from torch import autograd, nn


class DEQ(nn.Module):
    def __init__(self):
        super().__init__()
        self.f, self.u = nn.Linear(5, 5), nn.Linear(3, 5)

    def cell(self, z, x):
        return torch.tanh(0.4 * self.f(z) + self.u(x))

    def forward(self, x):
        with torch.no_grad():
            z = torch.zeros(x.shape[0], 5)
            for _ in range(15):
                z = self.cell(z, x)
        z = self.cell(z, x)
        z0 = z.clone().detach().requires_grad_()
        f0 = self.cell(z0, x)

        def backward_hook(grad):
            g = grad
            for _ in range(15):
                g = autograd.grad(f0, z0, g, retain_graph=True)[0] + grad
            return g

        if z.requires_grad:
            z.register_hook(backward_hook)
        return z


torch.manual_seed(0)
deq, out = DEQ(), nn.Linear(5, 2)
opt = torch.optim.Adam([*deq.parameters(), *out.parameters()], lr=1e-2)
for i in range(5):
    x = torch.randn(8, 3)
    loss = nn.functional.cross_entropy(out(deq(x)), (x[:, 0] > 0).long())
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
