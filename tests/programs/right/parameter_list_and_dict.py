import torch
from torch import nn


class Poly(nn.Module):
    def __init__(self, degree):
        super().__init__()
        self.coeffs = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(degree + 1)])
        self.extra = nn.ParameterDict({"scale": nn.Parameter(torch.ones(1)), "shift": nn.Parameter(torch.zeros(1))})

    def forward(self, x):
        z = self.extra["scale"] * x + self.extra["shift"]
        return sum(c * z**i for i, c in enumerate(self.coeffs))


torch.manual_seed(0)
model = Poly(3)
opt = torch.optim.Adam(model.parameters(), lr=0.05)
x = torch.linspace(-1, 1, 30)
for i in range(12):
    opt.zero_grad(set_to_none=False)
    loss = (model(x) - torch.exp(x)).pow(2).mean()
    loss.backward()
    opt.step()
print(loss.item(), [c.item() for c in model.coeffs])
