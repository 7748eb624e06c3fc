# expect: stale-gradient @ HERE
"""An iterated attack that adds the sign of an accumulating input gradient."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
model = torch.nn.Linear(5, 3).requires_grad_(False)
x = torch.rand(1, 5, requires_grad=True)
for i in range(6):
    loss = F.cross_entropy(model(x), torch.tensor([1]))
    loss.backward()
    x.data = x.data + 0.02 * x.grad.sign()  # HERE
    print(loss.item())
