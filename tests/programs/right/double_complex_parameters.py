import torch

torch.manual_seed(0)
z = torch.randn(3, dtype=torch.cdouble, requires_grad=True)
r = torch.randn(3, dtype=torch.float64, requires_grad=True)
opt = torch.optim.Adam([z, r], lr=0.1)
for i in range(6):
    loss = (z.abs() - r).pow(2).sum() + z.imag.pow(2).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
