# pattern: 30
# expect: in-place-on-leaf | leaf-modified-in-place
# raises: RuntimeError
import torch

torch.manual_seed(0)
x, y = torch.randn(20, 2), torch.randn(20)
w = torch.zeros(2, requires_grad=True)
for epoch in range(5):
    loss = (x @ w - y).pow(2).mean()
    loss.backward()
    w -= 0.1 * w.grad  # BUG
    w.grad = None
    print(epoch, loss.item())
