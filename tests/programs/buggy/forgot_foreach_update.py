# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
params = [torch.randn(3, requires_grad=True), torch.randn(2, requires_grad=True)]
for i in range(6):
    loss = params[0].pow(2).sum() + (params[1] - 1).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        torch._foreach_add_(params, [p.grad for p in params], alpha=-0.05)  # HERE
    print(loss.item())
