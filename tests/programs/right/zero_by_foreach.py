import torch

torch.manual_seed(0)
params = [torch.randn(3, requires_grad=True), torch.randn(2, requires_grad=True)]
for i in range(6):
    loss = params[0].pow(2).sum() + (params[1] - 1).pow(2).sum()
    loss.backward()
    grads = [p.grad for p in params]
    with torch.no_grad():
        torch._foreach_add_(params, grads, alpha=-0.1)
    torch._foreach_zero_(grads)
    print(loss.item())
