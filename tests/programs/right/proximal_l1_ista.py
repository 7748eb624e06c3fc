import torch

torch.manual_seed(0)
A, y = torch.randn(20, 8), torch.randn(20)
beta = torch.zeros(8, requires_grad=True)
lr, lam = 0.01, 0.5
for k in range(15):
    loss = 0.5 * (A @ beta - y).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        z = beta - lr * beta.grad
        beta.copy_(torch.sign(z) * torch.clamp(z.abs() - lr * lam, min=0))
    beta.grad.zero_()
print(loss.item(), (beta == 0).sum().item())
